/*
 * Nothing of a test leaves the machine: these stand before the C library's functions of the same names, for all libraries of the
 * process, and know no address but the loopback's. What else is asked for is told of, and refused as by a machine without a network.
 */
#define _GNU_SOURCE
#include "linphone_peer.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool is_here(const struct sockaddr *address) {
	if (!address) return true;
	if (address->sa_family == AF_INET) {
		const struct in_addr ip = ((const struct sockaddr_in *)address)->sin_addr;
		return ntohl(ip.s_addr) >> 24 == 127;
	}
	if (address->sa_family == AF_INET6) {
		const struct in6_addr *ip = &((const struct sockaddr_in6 *)address)->sin6_addr;
		return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
	}
	/* Unix sockets, and the kernel's own. */
	return true;
}

static int refuse(const struct sockaddr *address) {
	char text[INET6_ADDRSTRLEN] = "";
	const void *ip = address->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
	                                                : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
	event_begin("refused");
	event_text("address", inet_ntop(address->sa_family, ip, text, sizeof text));
	event_end();
	errno = ENETUNREACH;
	return -1;
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
	static int (*real)(int, const struct sockaddr *, socklen_t);
	if (!real) real = dlsym(RTLD_NEXT, "connect");
	return is_here(address) ? real(fd, address, length) : refuse(address);
}

ssize_t sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length) {
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	if (!real) real = dlsym(RTLD_NEXT, "sendto");
	return is_here(address) ? real(fd, bytes, count, flags, address, length) : refuse(address);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
	static ssize_t (*real)(int, const struct msghdr *, int);
	if (!real) real = dlsym(RTLD_NEXT, "sendmsg");
	return is_here(message->msg_name) ? real(fd, message, flags) : refuse(message->msg_name);
}

/* Whoever listens everywhere listens here instead. */
int bind(int fd, const struct sockaddr *address, socklen_t length) {
	static int (*real)(int, const struct sockaddr *, socklen_t);
	if (!real) real = dlsym(RTLD_NEXT, "bind");
	if (address->sa_family != AF_INET) return is_here(address) ? real(fd, address, length) : refuse(address);
	struct sockaddr_in here;
	memcpy(&here, address, sizeof here);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return real(fd, (const struct sockaddr *)&here, sizeof here);
}

/* One event a line on standard output, as JSON. Texts are UTF-8 already: only what JSON must escape is escaped. */
#include "linphone_peer.h"
#include <stdio.h>

static void put_string(const char *text) {
	putchar('"');
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at == '"' || *at == '\\') printf("\\%c", *at);
		else if (*at < 0x20) printf("\\u%04x", *at);
		else putchar(*at);
	}
	putchar('"');
}

static void put_key(const char *key) {
	putchar(',');
	put_string(key);
	putchar(':');
}

/* Threads of liblinphone's may have something to tell, too: a line is theirs from here to its end. */
void event_begin(const char *name) {
	flockfile(stdout);
	fputs("{\"event\":", stdout);
	put_string(name);
}

void event_text(const char *key, const char *value) {
	if (!value) return;
	put_key(key);
	put_string(value);
}

void event_flag(const char *key, bool value) {
	put_key(key);
	fputs(value ? "true" : "false", stdout);
}

void event_end(void) {
	puts("}");
	fflush(stdout);
	funlockfile(stdout);
}

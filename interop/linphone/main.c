/*
 * linphone_peer: a real Linphone (liblinphone 5.3) without a screen, for the tests of our key directory (README.md). Its settings are
 * a linphonerc; commands come as lines on standard input, events go as JSON lines to standard output. It ends with its input.
 *
 *   linphone_peer LINPHONERC RESOURCES [focus]
 *
 * RESOURCES: the folder with liblinphone's grammars. With LINPHONE_PEER_LOG it logs into that file.
 */
#include "linphone_peer.h"
#include <linphone/api/c-api.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BETWEEN_STEPS_MS 10
#define LONGEST_LINE 65536

static FILE *log_file;

static void log_line(LinphoneLoggingService *service, const char *domain, LinphoneLogLevel level, const char *text) {
	(void)service;
	fprintf(log_file, "%s %d %s\n", domain, (int)level, text);
	fflush(log_file);
}

static void start_log(void) {
	LinphoneLoggingService *service = linphone_logging_service_get();
	const char *path = getenv("LINPHONE_PEER_LOG");
	log_file = path ? fopen(path, "w") : stderr;
	if (!log_file) abort();
	LinphoneLoggingServiceCbs *callbacks = linphone_factory_create_logging_service_cbs(linphone_factory_get());
	linphone_logging_service_cbs_set_log_message_written(callbacks, log_line);
	linphone_logging_service_add_callbacks(service, callbacks);
	linphone_logging_service_cbs_unref(callbacks);
	linphone_logging_service_set_log_level(service, path ? LinphoneLogLevelDebug : LinphoneLogLevelFatal);
}

/* Whole lines of what has come; false when the program is to end. */
static bool obey_input(LinphoneCore *core) {
	static char buffer[LONGEST_LINE];
	static size_t filled;
	const ssize_t count = read(STDIN_FILENO, buffer + filled, sizeof buffer - 1 - filled);
	if (count <= 0) return false;
	filled += (size_t)count;
	buffer[filled] = 0;
	char *line = buffer;
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		if (!obey(core, line)) return false;
	}
	filled -= (size_t)(line - buffer);
	memmove(buffer, line, filled);
	return true;
}

int main(int argc, char **argv) {
	if (argc < 3) {
		fputs("usage: linphone_peer LINPHONERC RESOURCES [focus]\n", stderr);
		return 2;
	}
	start_log();
	const bool is_focus = argc > 3 && strcmp(argv[3], "focus") == 0;
	linphone_factory_set_top_resources_dir(linphone_factory_get(), argv[2]);
	LinphoneCore *core = linphone_factory_create_core_3(linphone_factory_get(), argv[1], NULL, NULL);
	watch_core(core);
	/* No sound card is looked for. */
	linphone_core_set_use_files(core, TRUE);
	if (is_focus) {
		linphone_core_enable_conference_server(core, TRUE);
		linphone_core_add_linphone_spec(core, "lime");
	}
	linphone_core_start(core);
	/* It takes a machine with nothing but a loopback for one without a network. */
	linphone_core_set_network_reachable(core, TRUE);
	event_begin("ready");
	event_text("version", linphone_core_get_version());
	event_flag("lime", linphone_core_lime_x3dh_enabled(core));
	event_end();
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	do {
		linphone_core_iterate(core);
	} while (poll(&input, 1, BETWEEN_STEPS_MS) <= 0 || obey_input(core));
	linphone_core_stop(core);
	return 0;
}

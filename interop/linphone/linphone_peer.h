/* What the files of linphone_peer share (README.md): one Linphone in one process, lines in, JSON lines out. */
#ifndef LINPHONE_PEER_H
#define LINPHONE_PEER_H

#include <linphone/core.h>
#include <stdbool.h>

/* events.c: all that this Linphone tells of. */
void watch_core(LinphoneCore *core);
void watch_sent(LinphoneChatMessage *message);

/* commands.c: one line without its end. False: the program is to end. */
bool obey(LinphoneCore *core, char *line);
/* The last message that came, for answers to it. */
void remember_received(LinphoneChatMessage *message);

/* focus.c: the parts of a conference server that liblinphone leaves to its program. */
void know_device(const char *user, const char *device);
void serve_room(LinphoneChatRoom *room);

/* json.c: one event a line. */
void event_begin(const char *name);
void event_text(const char *key, const char *value); /* nothing for NULL */
void event_flag(const char *key, bool value);
void event_end(void);

/* The URI alone; the caller frees it with bctbx_free. NULL for NULL. */
char *uri_of(const LinphoneAddress *address);
/* `conf-id` of a room's address: what commands and events call the room. NULL where there is none. */
const char *name_of_room(const LinphoneChatRoom *room);

#endif

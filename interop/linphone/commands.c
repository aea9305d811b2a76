/* What its user would do at this Linphone, one command a line (README.md). */
#include "linphone_peer.h"
#include <linphone/api/c-api.h>
#include <string.h>

static LinphoneChatMessage *received;

void remember_received(LinphoneChatMessage *message) {
	if (received) linphone_chat_message_unref(received);
	received = linphone_chat_message_ref(message);
}

static void failed(const char *why) {
	event_begin("failed");
	event_text("why", why);
	event_end();
}

static LinphoneChatRoom *find_room(LinphoneCore *core, const char *name) {
	if (!name) return NULL;
	for (const bctbx_list_t *at = linphone_core_get_chat_rooms(core); at; at = at->next) {
		const char *found = name_of_room(at->data);
		if (found && strcmp(found, name) == 0) return at->data;
	}
	return NULL;
}

/* One member: between two people; more: a group. */
static void create(LinphoneCore *core, char *users) {
	bctbx_list_t *members = NULL;
	for (char *user = strtok(users, " "); user; user = strtok(NULL, " "))
		members = bctbx_list_append(members, linphone_address_new(user));
	LinphoneChatRoomParams *params = linphone_core_create_default_chat_room_params(core);
	linphone_chat_room_params_set_backend(params, LinphoneChatRoomBackendFlexisipChat);
	linphone_chat_room_params_set_encryption_backend(params, LinphoneChatRoomEncryptionBackendLime);
	linphone_chat_room_params_enable_encryption(params, TRUE);
	linphone_chat_room_params_enable_group(params, bctbx_list_size(members) > 1);
	linphone_chat_room_params_set_subject(params, "a room");
	if (!linphone_core_create_chat_room_6(core, params, NULL, members)) failed("no room was made");
	linphone_chat_room_params_unref(params);
	bctbx_list_free_with_data(members, (bctbx_list_free_func)linphone_address_unref);
}

static void send_message(LinphoneChatMessage *message) {
	watch_sent(message);
	linphone_chat_message_send(message);
}

bool obey(LinphoneCore *core, char *line) {
	char *rest = strchr(line, ' ');
	if (rest) *rest++ = 0;
	else rest = line + strlen(line);
	if (strcmp(line, "quit") == 0) return false;
	if (strcmp(line, "create") == 0) {
		create(core, rest);
		return true;
	}
	char *second = strchr(rest, ' ');
	if (second) *second++ = 0;
	if (strcmp(line, "device") == 0 && second) {
		know_device(rest, second);
		return true;
	}
	LinphoneChatRoom *room = find_room(core, rest);
	if (room && strcmp(line, "read") == 0) linphone_chat_room_mark_as_read(room);
	else if (!room || !second) failed("no such command, or no such room");
	else if (strcmp(line, "send") == 0) send_message(linphone_chat_room_create_message_from_utf8(room, second));
	else if (strcmp(line, "add") == 0) {
		LinphoneAddress *user = linphone_address_new(second);
		linphone_chat_room_add_participant(room, user);
		linphone_address_unref(user);
	} else if (!received) failed("no message to answer");
	else if (strcmp(line, "react") == 0) linphone_chat_message_reaction_send(linphone_chat_message_create_reaction(received, second));
	else if (strcmp(line, "reply") == 0) {
		LinphoneChatMessage *reply = linphone_chat_room_create_reply_message(room, received);
		linphone_chat_message_add_utf8_text_content(reply, second);
		send_message(reply);
	} else failed("no such command");
	return true;
}

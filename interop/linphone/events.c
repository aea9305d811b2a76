/* What this Linphone tells its program of, as events: registration, rooms, messages and what became of them, alarms. */
#include "linphone_peer.h"
#include <linphone/api/c-api.h>

char *uri_of(const LinphoneAddress *address) {
	return address ? linphone_address_as_string_uri_only(address) : NULL;
}

const char *name_of_room(const LinphoneChatRoom *room) {
	const LinphoneAddress *peer = linphone_chat_room_get_peer_address((LinphoneChatRoom *)room);
	return peer ? linphone_address_get_uri_param(peer, "conf-id") : NULL;
}

static void event_uri(const char *key, const LinphoneAddress *address) {
	char *uri = uri_of(address);
	event_text(key, uri);
	if (uri) bctbx_free(uri);
}

static void registration(LinphoneCore *core, LinphoneAccount *account, LinphoneRegistrationState state, const char *text) {
	(void)core;
	event_begin("registration");
	event_text("state", linphone_registration_state_to_string(state));
	event_text("text", text);
	event_uri("contact", linphone_account_get_contact_address(account));
	event_end();
}

/* Of the LIME server too: it found none for a challenge, or what it found was refused. */
static void credentials_wanted(LinphoneCore *core, LinphoneAuthInfo *info, LinphoneAuthMethod method) {
	(void)core;
	(void)method;
	event_begin("credentials-wanted");
	event_text("realm", linphone_auth_info_get_realm(info));
	event_text("user", linphone_auth_info_get_username(info));
	event_end();
}

static void message_received(LinphoneCore *core, LinphoneChatRoom *room, LinphoneChatMessage *message) {
	(void)core;
	event_begin("message");
	event_text("room", name_of_room(room));
	event_uri("from", linphone_chat_message_get_from_address(message));
	event_text("id", linphone_chat_message_get_message_id(message));
	event_flag("secured", linphone_chat_message_is_secured(message));
	event_text("type", linphone_chat_message_get_content_type(message));
	event_text("text", linphone_chat_message_get_utf8_text(message));
	event_text("replyTo", linphone_chat_message_get_reply_message_id(message));
	event_end();
	remember_received(message);
}

static void undecryptable(LinphoneCore *core, LinphoneChatRoom *room, LinphoneChatMessage *message) {
	(void)core;
	event_begin("undecryptable");
	event_text("room", name_of_room(room));
	event_uri("from", linphone_chat_message_get_from_address(message));
	event_end();
}

static void reaction(LinphoneCore *core, LinphoneChatRoom *room, LinphoneChatMessage *message,
                     const LinphoneChatMessageReaction *received) {
	(void)core;
	event_begin("reaction");
	event_text("room", name_of_room(room));
	event_text("id", linphone_chat_message_get_message_id(message));
	event_text("text", linphone_chat_message_reaction_get_body(received));
	event_end();
}

static void sent_changed(LinphoneChatMessage *message, LinphoneChatMessageState state) {
	event_begin("sent");
	event_text("id", linphone_chat_message_get_message_id(message));
	event_text("state", linphone_chat_message_state_to_string(state));
	event_end();
}

static void notice(LinphoneChatMessage *message, const LinphoneParticipantImdnState *of) {
	const LinphoneParticipant *participant = linphone_participant_imdn_state_get_participant(of);
	event_begin("notice");
	event_text("id", linphone_chat_message_get_message_id(message));
	event_uri("from", linphone_participant_get_address(participant));
	event_text("state", linphone_chat_message_state_to_string(linphone_participant_imdn_state_get_state(of)));
	event_end();
}

void watch_sent(LinphoneChatMessage *message) {
	LinphoneChatMessageCbs *callbacks = linphone_factory_create_chat_message_cbs(linphone_factory_get());
	linphone_chat_message_cbs_set_msg_state_changed(callbacks, sent_changed);
	linphone_chat_message_cbs_set_participant_imdn_state_changed(callbacks, notice);
	linphone_chat_message_add_callbacks(message, callbacks);
	linphone_chat_message_cbs_unref(callbacks);
}

static const char *name_of_alarm(LinphoneSecurityEventType type) {
	switch (type) {
		case LinphoneSecurityEventTypeSecurityLevelDowngraded: return "downgraded";
		case LinphoneSecurityEventTypeParticipantMaxDeviceCountExceeded: return "too-many-devices";
		case LinphoneSecurityEventTypeEncryptionIdentityKeyChanged: return "identity-key-changed";
		case LinphoneSecurityEventTypeManInTheMiddleDetected: return "man-in-the-middle";
		default: return "unknown";
	}
}

static void alarm_of_room(LinphoneChatRoom *room, const LinphoneEventLog *log) {
	event_begin("alarm");
	event_text("room", name_of_room(room));
	event_text("kind", name_of_alarm(linphone_event_log_get_security_event_type(log)));
	event_uri("device", linphone_event_log_get_security_event_faulty_device_address(log));
	event_end();
}

static void watch_room(LinphoneChatRoom *room) {
	LinphoneChatRoomCbs *callbacks = linphone_factory_create_chat_room_cbs(linphone_factory_get());
	linphone_chat_room_cbs_set_security_event(callbacks, alarm_of_room);
	linphone_chat_room_add_callbacks(room, callbacks);
	linphone_chat_room_cbs_unref(callbacks);
}

static void room_changed(LinphoneCore *core, LinphoneChatRoom *room, LinphoneChatRoomState state) {
	event_begin("room");
	event_text("state", linphone_chat_room_state_to_string(state));
	event_text("room", name_of_room(room));
	event_uri("address", linphone_chat_room_get_peer_address(room));
	event_end();
	if (state == LinphoneChatRoomStateInstantiated) {
		watch_room(room);
		if (linphone_core_conference_server_enabled(core)) serve_room(room);
	}
}

void watch_core(LinphoneCore *core) {
	LinphoneCoreCbs *callbacks = linphone_factory_create_core_cbs(linphone_factory_get());
	linphone_core_cbs_set_account_registration_state_changed(callbacks, registration);
	linphone_core_cbs_set_authentication_requested(callbacks, credentials_wanted);
	linphone_core_cbs_set_chat_room_state_changed(callbacks, room_changed);
	linphone_core_cbs_set_message_received(callbacks, message_received);
	linphone_core_cbs_set_message_received_unable_decrypt(callbacks, undecryptable);
	linphone_core_cbs_set_new_message_reaction(callbacks, reaction);
	linphone_core_add_callbacks(core, callbacks);
	linphone_core_cbs_unref(callbacks);
}

/*
 * A conference server ("focus"), without which Linphone has no encrypted room: liblinphone's own, as far as it leaves things to its
 * program. Flexisip, which does this elsewhere, would ask the registrar for the devices of a user; here the test says them.
 */
#include "linphone_peer.h"
#include <linphone/api/c-api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DEVICES 32

static struct {
	char *user;
	char *device;
} devices[MOST_DEVICES];
static int known;

void know_device(const char *user, const char *device) {
	if (known == MOST_DEVICES) abort();
	devices[known].user = strdup(user);
	devices[known].device = strdup(device);
	known++;
}

static void devices_wanted(LinphoneChatRoom *room, const LinphoneAddress *participant) {
	LinphoneFactory *factory = linphone_factory_get();
	LinphoneAddress *user = linphone_address_clone(participant);
	char *uri = uri_of(participant);
	bctbx_list_t *specs = linphone_core_get_linphone_specs_list(linphone_chat_room_get_core(room));
	bctbx_list_t *found = NULL;
	for (int i = 0; i < known; i++) {
		if (strcmp(devices[i].user, uri) != 0) continue;
		LinphoneAddress *address = linphone_address_new(devices[i].device);
		LinphoneParticipantDeviceIdentity *identity = linphone_factory_create_participant_device_identity(factory, address, "");
		linphone_participant_device_identity_set_capability_descriptor_2(identity, specs);
		linphone_address_unref(address);
		found = bctbx_list_append(found, identity);
	}
	linphone_chat_room_set_participant_devices(room, user, found);
	bctbx_list_free_with_data(found, (bctbx_list_free_func)linphone_participant_device_identity_unref);
	bctbx_list_free_with_data(specs, (bctbx_list_free_func)bctbx_free);
	bctbx_free(uri);
	linphone_address_unref(user);
}

static void address_wanted(LinphoneChatRoom *room) {
	static int rooms;
	LinphoneAccount *account = linphone_core_get_default_account(linphone_chat_room_get_core(room));
	LinphoneAddress *address = linphone_address_clone(linphone_account_get_contact_address(account));
	char name[32];
	snprintf(name, sizeof name, "room%d", ++rooms);
	linphone_address_set_uri_param(address, "conf-id", name);
	linphone_chat_room_set_conference_address(room, address);
	linphone_address_unref(address);
}

void serve_room(LinphoneChatRoom *room) {
	LinphoneChatRoomCbs *callbacks = linphone_factory_create_chat_room_cbs(linphone_factory_get());
	linphone_chat_room_cbs_set_participant_registration_subscription_requested(callbacks, devices_wanted);
	linphone_chat_room_cbs_set_conference_address_generation(callbacks, address_wanted);
	linphone_chat_room_add_callbacks(room, callbacks);
	linphone_chat_room_cbs_unref(callbacks);
}

// lime_peer: a real liblime endpoint driven by JSON lines on stdin/stdout.
//
// Test tooling: one process holds one or more lime::LimeManager instances (each one a "client"
// with its own SQLite key store) and talks to an X3DH key server over HTTP(S) through libcurl,
// or hands the HTTP exchanges to the caller ("delegate" mode). The protocol is in README.md.
//
// Uses only the public API of the Debian packages liblime-dev / libbctoolbox-dev (5.3.105).

#include <curl/curl.h>
#include <dlfcn.h>
#include <limits.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <bctoolbox/exception.hh>
#include <bctoolbox/logging.h>
#include <lime/lime.hpp>

using json = nlohmann::json;
using Bytes = std::vector<uint8_t>;

namespace {

// ---------------------------------------------------------------- output and encodings

FILE *g_out = nullptr;      // the real stdout; fd 1 itself is pointed at stderr (library logs)
bool g_delegateByDefault = false;
unsigned g_nextHttpId = 1;

void emit(const json &message) {
	const std::string line = message.dump();
	fwrite(line.data(), 1, line.size(), g_out);
	fputc('\n', g_out);
	fflush(g_out);
}

std::string toBase64(const Bytes &in) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	std::string out;
	out.reserve((in.size() + 2) / 3 * 4);
	for (size_t pos = 0; pos < in.size(); pos += 3) {
		const size_t have = std::min<size_t>(3, in.size() - pos);
		uint32_t group = uint32_t(in[pos]) << 16;
		if (have > 1) group |= uint32_t(in[pos + 1]) << 8;
		if (have > 2) group |= in[pos + 2];
		out += digits[group >> 18];
		out += digits[(group >> 12) & 63];
		out += have > 1 ? digits[(group >> 6) & 63] : '=';
		out += have > 2 ? digits[group & 63] : '=';
	}
	return out;
}

Bytes fromBase64(const std::string &in) {
	Bytes out;
	uint32_t acc = 0;
	int bits = 0;
	for (char c : in) {
		int v;
		if (c >= 'A' && c <= 'Z') v = c - 'A';
		else if (c >= 'a' && c <= 'z') v = c - 'a' + 26;
		else if (c >= '0' && c <= '9') v = c - '0' + 52;
		else if (c == '+' || c == '-') v = 62;
		else if (c == '/' || c == '_') v = 63;
		else if (c == '=' || c == '\n' || c == '\r') continue;
		else throw std::runtime_error("bad base64 input");
		acc = (acc << 6) | uint32_t(v);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out.push_back(uint8_t((acc >> bits) & 0xff));
		}
	}
	return out;
}

std::string toHex(const void *data, size_t size) {
	static const char digits[] = "0123456789abcdef";
	const auto *bytes = static_cast<const uint8_t *>(data);
	std::string out;
	out.reserve(size * 2);
	for (size_t i = 0; i < size; i++) {
		out += digits[bytes[i] >> 4];
		out += digits[bytes[i] & 15];
	}
	return out;
}

// ---------------------------------------------------------------- names of the lime enums

const char *statusName(lime::PeerDeviceStatus status) {
	switch (status) {
		case lime::PeerDeviceStatus::untrusted: return "untrusted";
		case lime::PeerDeviceStatus::trusted: return "trusted";
		case lime::PeerDeviceStatus::unsafe: return "unsafe";
		case lime::PeerDeviceStatus::fail: return "fail";
		case lime::PeerDeviceStatus::unknown: return "unknown";
	}
	return "?";
}

lime::PeerDeviceStatus statusFromName(const std::string &name) {
	for (auto s : {lime::PeerDeviceStatus::untrusted, lime::PeerDeviceStatus::trusted, lime::PeerDeviceStatus::unsafe,
	               lime::PeerDeviceStatus::fail, lime::PeerDeviceStatus::unknown})
		if (name == statusName(s)) return s;
	throw std::runtime_error("unknown peer status '" + name + "'");
}

lime::CurveId curveFromName(const std::string &name) {
	if (name == "c25519") return lime::CurveId::c25519;
	if (name == "c448") return lime::CurveId::c448;
	throw std::runtime_error("unknown curve '" + name + "' (c25519 or c448)");
}

lime::EncryptionPolicy policyFromName(const std::string &name) {
	if (name == "DRMessage") return lime::EncryptionPolicy::DRMessage;
	if (name == "cipherMessage") return lime::EncryptionPolicy::cipherMessage;
	if (name == "optimizeUploadSize") return lime::EncryptionPolicy::optimizeUploadSize;
	if (name == "optimizeGlobalBandwidth") return lime::EncryptionPolicy::optimizeGlobalBandwidth;
	throw std::runtime_error("unknown policy '" + name + "'");
}

// ---------------------------------------------------------------- HTTP

struct HttpSettings {
	bool delegate = g_delegateByDefault;
	std::string auth = "none";            // none | basic | digest | bearer
	std::string user, password, token;
	std::string identityHeader = "From";  // header(s) that carry the device id, comma separated
	std::string caFile;
	bool insecure = false;
	long timeoutMs = 20000;
	std::map<std::string, std::string> extraHeaders;
};

struct HttpExchange {
	std::string url, from;
	Bytes body;
	lime::limeX3DHServerResponseProcess done;
};

struct HttpResult {
	int status = 0;
	Bytes body;
	std::string error;
};

std::map<std::string, HttpSettings> g_httpByDevice;
std::deque<HttpExchange> g_pending; // lime may hold its own locks while posting: never call back inline
json g_httpTrace = json::array();   // what was exchanged while the current command ran

HttpSettings settingsFromJson(const json &cmd, HttpSettings s) {
	if (cmd.contains("http")) s.delegate = cmd.at("http").get<std::string>() == "delegate";
	if (cmd.contains("bearer")) {
		s.auth = "bearer";
		s.token = cmd.at("bearer").get<std::string>();
	}
	if (cmd.contains("auth")) {
		const auto &a = cmd.at("auth");
		s.auth = a.value("scheme", s.auth);
		s.user = a.value("user", s.user);
		s.password = a.value("password", s.password);
		s.token = a.value("token", s.token);
	}
	s.identityHeader = cmd.value("identity_header", s.identityHeader);
	s.caFile = cmd.value("ca_file", s.caFile);
	s.insecure = cmd.value("insecure", s.insecure);
	s.timeoutMs = cmd.value("timeout_ms", s.timeoutMs);
	if (cmd.contains("headers"))
		for (const auto &h : cmd.at("headers").items()) s.extraHeaders[h.key()] = h.value().get<std::string>();
	return s;
}

size_t collectBody(char *data, size_t size, size_t count, void *target) {
	auto *body = static_cast<Bytes *>(target);
	body->insert(body->end(), data, data + size * count);
	return size * count;
}

HttpResult postWithCurl(const HttpExchange &x, const HttpSettings &s) {
	HttpResult result;
	CURL *curl = curl_easy_init();
	if (!curl) {
		result.error = "curl_easy_init failed";
		return result;
	}
	curl_slist *headers = nullptr;
	auto addHeader = [&headers](const std::string &name, const std::string &value) {
		headers = curl_slist_append(headers, (name + ": " + value).c_str());
	};
	addHeader("Content-Type", "x3dh/octet-stream");
	addHeader("Expect", "");
	size_t start = 0;
	while (start <= s.identityHeader.size() && !s.identityHeader.empty()) {
		const size_t comma = std::min(s.identityHeader.find(',', start), s.identityHeader.size());
		addHeader(s.identityHeader.substr(start, comma - start), x.from);
		start = comma + 1;
	}
	for (const auto &h : s.extraHeaders) addHeader(h.first, h.second);
	if (s.auth == "bearer") addHeader("Authorization", "Bearer " + s.token);
	if (s.auth == "basic" || s.auth == "digest") {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, s.auth == "digest" ? CURLAUTH_DIGEST : CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, s.user.c_str());
		curl_easy_setopt(curl, CURLOPT_PASSWORD, s.password.c_str());
	}
	curl_easy_setopt(curl, CURLOPT_URL, x.url.c_str());
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "lime");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(x.body.size()));
	curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, reinterpret_cast<const char *>(x.body.data()));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collectBody);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &result.body);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, s.timeoutMs);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (!s.caFile.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, s.caFile.c_str());
	if (s.insecure) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	const CURLcode code = curl_easy_perform(curl);
	if (code == CURLE_OK) {
		long status = 0;
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		result.status = int(status);
	} else {
		result.error = curl_easy_strerror(code);
		result.body.clear();
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return result;
}

HttpResult postThroughCaller(const HttpExchange &x) {
	const unsigned id = g_nextHttpId++;
	emit({{"event", "http"}, {"id", id}, {"url", x.url}, {"from", x.from}, {"body_b64", toBase64(x.body)}});
	std::string line;
	while (std::getline(std::cin, line)) {
		if (line.empty()) continue;
		HttpResult result;
		try {
			const json answer = json::parse(line);
			if (answer.value("cmd", "") != "http_response" || answer.value("id", 0u) != id) {
				emit({{"ok", false}, {"error", "expected http_response for id " + std::to_string(id)}});
				continue;
			}
			result.status = answer.value("status", 0);
			result.body = fromBase64(answer.value("body_b64", ""));
		} catch (const std::exception &e) {
			emit({{"ok", false}, {"error", e.what()}});
			continue;
		}
		return result;
	}
	return {};
}

void runPendingHttp() {
	while (!g_pending.empty()) {
		HttpExchange x = std::move(g_pending.front());
		g_pending.pop_front();
		const HttpSettings s = g_httpByDevice.count(x.from) ? g_httpByDevice[x.from] : HttpSettings{};
		const HttpResult r = s.delegate ? postThroughCaller(x) : postWithCurl(x, s);
		json note = {{"url", x.url}, {"from", x.from}, {"status", r.status},
		             {"request_hex", toHex(x.body.data(), x.body.size())},
		             {"response_hex", toHex(r.body.data(), r.body.size())}};
		if (!r.error.empty()) note["error"] = r.error;
		g_httpTrace.push_back(std::move(note));
		x.done(r.status, r.body);
	}
}

// ---------------------------------------------------------------- clients

struct Client {
	std::string dbPath;
	std::unique_ptr<lime::LimeManager> manager;
};

std::map<std::string, Client> g_clients;

void openManager(Client &c) {
	c.manager = std::make_unique<lime::LimeManager>(
	    c.dbPath, [](const std::string &url, const std::string &from, const std::vector<uint8_t> &message,
	                 const lime::limeX3DHServerResponseProcess &done) {
		    g_pending.push_back({url, from, message, done});
	    });
}

Client &client(const json &cmd) {
	const std::string name = cmd.value("client", "main");
	auto found = g_clients.find(name);
	if (found == g_clients.end()) throw std::runtime_error("no client '" + name + "': send open first");
	return found->second;
}

// Starts an asynchronous lime operation and serves its HTTP exchanges until it reports.
struct Outcome {
	bool called = false, success = false;
	std::string message;
};

template <typename Start> Outcome await(Start start) {
	auto outcome = std::make_shared<Outcome>();
	start([outcome](const lime::CallbackReturn code, const std::string message) {
		outcome->called = true;
		outcome->success = code == lime::CallbackReturn::success;
		outcome->message = message;
	});
	runPendingHttp();
	return *outcome;
}

json report(const Outcome &o) {
	json answer = {{"ok", o.called && o.success}};
	if (!o.called) answer["error"] = "lime never called back";
	else if (!o.success) answer["error"] = o.message.empty() ? "lime reported a failure" : o.message;
	else if (!o.message.empty()) answer["message"] = o.message;
	return answer;
}

Bytes associatedData(const json &cmd) {
	if (cmd.contains("associated_data_b64")) return fromBase64(cmd.at("associated_data_b64").get<std::string>());
	const auto user = cmd.at("recipient_user").get<std::string>();
	return Bytes(user.begin(), user.end());
}

// ---------------------------------------------------------------- direct look at lime's SQLite store

struct Sqlite {
	sqlite3 *db = nullptr;
	explicit Sqlite(const std::string &path) {
		if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
			throw std::runtime_error("cannot open " + path + ": " + sqlite3_errmsg(db));
		sqlite3_busy_timeout(db, 5000);
	}
	~Sqlite() { sqlite3_close(db); }
	void run(const std::string &sql) {
		char *error = nullptr;
		if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error) != SQLITE_OK) {
			std::string text = error ? error : "sqlite error";
			sqlite3_free(error);
			throw std::runtime_error(text);
		}
	}
	json rows(const std::string &sql) {
		sqlite3_stmt *st = nullptr;
		if (sqlite3_prepare_v2(db, sql.c_str(), -1, &st, nullptr) != SQLITE_OK)
			throw std::runtime_error(sqlite3_errmsg(db));
		json out = json::array();
		while (sqlite3_step(st) == SQLITE_ROW) {
			json row = json::object();
			for (int i = 0; i < sqlite3_column_count(st); i++) {
				const std::string name = sqlite3_column_name(st, i);
				switch (sqlite3_column_type(st, i)) {
					case SQLITE_INTEGER: row[name] = sqlite3_column_int64(st, i); break;
					case SQLITE_TEXT: row[name] = reinterpret_cast<const char *>(sqlite3_column_text(st, i)); break;
					case SQLITE_BLOB: row[name] = toHex(sqlite3_column_blob(st, i), size_t(sqlite3_column_bytes(st, i))); break;
					default: row[name] = nullptr;
				}
			}
			out.push_back(std::move(row));
		}
		sqlite3_finalize(st);
		return out;
	}
};

// Makes every stored timestamp look `days` older, so that key rotation and clean-up become due.
void ageStore(const std::string &path, long days) {
	Sqlite db(path);
	const std::string shift = "'-" + std::to_string(days) + " day'";
	db.run("UPDATE lime_LocalUsers SET updateTs = datetime(updateTs, " + shift + ");"
	       "UPDATE DR_sessions SET timeStamp = datetime(timeStamp, " + shift + ");"
	       "UPDATE X3DH_SPK SET timeStamp = datetime(timeStamp, " + shift + ");"
	       "UPDATE X3DH_OPK SET timeStamp = datetime(timeStamp, " + shift + ");");
}

// ---------------------------------------------------------------- commands

json execute(const json &cmd) {
	const std::string name = cmd.at("cmd").get<std::string>();

	if (name == "hello")
		return {{"ok", true}, {"peer", "lime_peer"}, {"lime", "Debian liblime1 5.3.105"}, {"curl", curl_version()}};

	if (name == "open") {
		Client c;
		c.dbPath = cmd.at("db").get<std::string>();
		openManager(c);
		g_clients[cmd.value("client", "main")] = std::move(c);
		return {{"ok", true}};
	}
	if (name == "close") {
		g_clients.erase(cmd.value("client", "main"));
		return {{"ok", true}};
	}
	if (name == "set_http") {
		const auto device = cmd.at("device").get<std::string>();
		g_httpByDevice[device] = settingsFromJson(cmd, g_httpByDevice.count(device) ? g_httpByDevice[device] : HttpSettings{});
		return {{"ok", true}};
	}

	Client &c = client(cmd);
	auto &lm = *c.manager;

	if (name == "create_user") {
		const auto device = cmd.at("device").get<std::string>();
		const auto server = cmd.at("server").get<std::string>();
		const auto curve = curveFromName(cmd.value("curve", "c25519"));
		g_httpByDevice[device] = settingsFromJson(cmd, HttpSettings{});
		return report(await([&](const lime::limeCallback &cb) {
			if (cmd.contains("opk_batch")) lm.create_user(device, server, curve, cmd.at("opk_batch").get<uint16_t>(), cb);
			else lm.create_user(device, server, curve, cb);
		}));
	}
	if (name == "delete_user") {
		const auto device = cmd.at("device").get<std::string>();
		return report(await([&](const lime::limeCallback &cb) { lm.delete_user(device, cb); }));
	}
	if (name == "is_user") return {{"ok", true}, {"is_user", lm.is_user(cmd.at("device").get<std::string>())}};

	if (name == "encrypt") {
		auto recipients = std::make_shared<std::vector<lime::RecipientData>>();
		for (const auto &to : cmd.at("to")) recipients->emplace_back(to.get<std::string>());
		auto plain = std::make_shared<const Bytes>(fromBase64(cmd.at("plaintext_b64").get<std::string>()));
		auto ad = std::make_shared<const Bytes>(associatedData(cmd));
		auto cipher = std::make_shared<Bytes>();
		const auto policy = policyFromName(cmd.value("policy", "optimizeUploadSize"));
		const auto outcome = await([&](const lime::limeCallback &cb) {
			lm.encrypt(cmd.at("from").get<std::string>(), ad, recipients, plain, cipher, cb, policy);
		});
		json answer = report(outcome);
		if (!cipher->empty()) answer["cipher_message_b64"] = toBase64(*cipher);
		answer["recipients"] = json::array();
		for (const auto &r : *recipients)
			answer["recipients"].push_back({{"device", r.deviceId}, {"status", statusName(r.peerStatus)},
			                                {"dr_message_b64", toBase64(r.DRmessage)}});
		return answer;
	}
	if (name == "decrypt") {
		Bytes plain;
		const auto status =
		    lm.decrypt(cmd.at("device").get<std::string>(), associatedData(cmd), cmd.at("from").get<std::string>(),
		               fromBase64(cmd.at("dr_message_b64").get<std::string>()),
		               fromBase64(cmd.value("cipher_message_b64", "")), plain);
		json answer = {{"ok", true}, {"status", statusName(status)}};
		if (status != lime::PeerDeviceStatus::fail) answer["plaintext_b64"] = toBase64(plain);
		return answer;
	}
	if (name == "get_peer_status") {
		if (cmd.contains("devices")) {
			std::list<std::string> devices;
			for (const auto &d : cmd.at("devices")) devices.push_back(d.get<std::string>());
			return {{"ok", true}, {"status", statusName(lm.get_peerDeviceStatus(devices))}};
		}
		return {{"ok", true}, {"status", statusName(lm.get_peerDeviceStatus(cmd.at("device").get<std::string>()))}};
	}
	if (name == "set_peer_status") {
		const auto device = cmd.at("device").get<std::string>();
		const auto status = statusFromName(cmd.at("status").get<std::string>());
		if (cmd.contains("ik_b64")) lm.set_peerDeviceStatus(device, fromBase64(cmd.at("ik_b64").get<std::string>()), status);
		else lm.set_peerDeviceStatus(device, status);
		return {{"ok", true}, {"status", statusName(lm.get_peerDeviceStatus(device))}};
	}
	if (name == "delete_peer_device") {
		lm.delete_peerDevice(cmd.at("device").get<std::string>());
		return {{"ok", true}};
	}
	if (name == "post") { // any bytes, with the credentials of a device: what liblime itself would never send
		HttpExchange x;
		x.from = cmd.at("device").get<std::string>();
		x.url = cmd.at("server").get<std::string>();
		x.body = fromBase64(cmd.at("body_b64").get<std::string>());
		const HttpSettings s = g_httpByDevice.count(x.from) ? g_httpByDevice[x.from] : HttpSettings{};
		const HttpResult r = s.delegate ? postThroughCaller(x) : postWithCurl(x, s);
		if (!r.error.empty()) return {{"ok", false}, {"error", r.error}};
		return {{"ok", true}, {"http_status", r.status}, {"body_b64", toBase64(r.body)}};
	}
	if (name == "stale_sessions") {
		lm.stale_sessions(cmd.at("device").get<std::string>(), cmd.at("peer").get<std::string>());
		return {{"ok", true}};
	}
	if (name == "get_self_ik") {
		Bytes ik;
		lm.get_selfIdentityKey(cmd.at("device").get<std::string>(), ik);
		return {{"ok", true}, {"ik_b64", toBase64(ik)}, {"ik_hex", toHex(ik.data(), ik.size())}};
	}
	if (name == "update") {
		const auto device = cmd.at("device").get<std::string>();
		if (cmd.value("force", false)) // lime ignores update() for a day after the last one
			Sqlite(c.dbPath).run("UPDATE lime_LocalUsers SET updateTs = datetime(updateTs, '-3 day');");
		return report(await([&](const lime::limeCallback &cb) {
			if (cmd.contains("opk_low_limit") || cmd.contains("opk_batch"))
				lm.update(device, cb, cmd.value("opk_low_limit", uint16_t(100)), cmd.value("opk_batch", uint16_t(25)));
			else lm.update(device, cb);
		}));
	}
	if (name == "set_server_url") {
		lm.set_x3dhServerUrl(cmd.at("device").get<std::string>(), cmd.at("server").get<std::string>());
		return {{"ok", true}};
	}
	if (name == "get_server_url")
		return {{"ok", true}, {"server", lm.get_x3dhServerUrl(cmd.at("device").get<std::string>())}};

	if (name == "advance_time") { // reload so that no session cached in memory hides the change
		c.manager.reset();
		ageStore(c.dbPath, cmd.at("days").get<long>());
		openManager(c);
		return {{"ok", true}};
	}
	if (name == "reload") {
		c.manager.reset();
		openManager(c);
		return {{"ok", true}};
	}
	if (name == "dump_state") { // PRIVATE keys included: for test vectors only
		Sqlite db(c.dbPath);
		json answer = {{"ok", true}};
		for (const char *table : {"lime_LocalUsers", "lime_PeerDevices", "X3DH_SPK", "X3DH_OPK", "DR_sessions", "DR_MSk_DHr", "DR_MSk_MK"})
			answer[table] = db.rows(std::string("SELECT * FROM ") + table);
		return answer;
	}
	throw std::runtime_error("unknown cmd '" + name + "'");
}

// soci loads its sqlite3 backend by name at run time: point it at the folder liblime came from
void locateSociBackend() {
	Dl_info info;
	if (getenv("SOCI_BACKENDS_PATH")) return;
	if (dladdr(reinterpret_cast<void *>(&bctbx_set_log_level), &info) && info.dli_fname) {
		char resolved[PATH_MAX];
		std::string path = realpath(info.dli_fname, resolved) ? resolved : info.dli_fname;
		setenv("SOCI_BACKENDS_PATH", path.substr(0, path.rfind('/')).c_str(), 1);
	}
}

} // namespace

int main(int argc, char **argv) {
	std::string db;
	bool verbose = false, trace = false;
	for (int i = 1; i < argc; i++) {
		const std::string arg = argv[i];
		if (arg == "--db" && i + 1 < argc) db = argv[++i];
		else if (arg == "--delegate-http") g_delegateByDefault = true;
		else if (arg == "--verbose") verbose = true;
		else if (arg == "--trace-http") trace = true;
		else {
			fprintf(stderr, "usage: lime_peer [--db file.sqlite3] [--delegate-http] [--trace-http] [--verbose]\n");
			return arg == "--help" ? 0 : 2;
		}
	}

	g_out = fdopen(dup(STDOUT_FILENO), "w");
	dup2(STDERR_FILENO, STDOUT_FILENO);
	std::ios::sync_with_stdio(false);
	std::cin.tie(nullptr);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	bctbx_init_logger(TRUE);
	bctbx_set_log_level(nullptr, verbose ? BCTBX_LOG_MESSAGE : BCTBX_LOG_FATAL);
	bctbx_set_log_level("lime", verbose ? BCTBX_LOG_DEBUG : BCTBX_LOG_FATAL);
	locateSociBackend();

	if (!db.empty()) {
		Client c;
		c.dbPath = db;
		openManager(c);
		g_clients["main"] = std::move(c);
	}

	std::string line;
	while (std::getline(std::cin, line)) {
		if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
		json answer;
		json id;
		bool traceThis = trace;
		g_httpTrace = json::array();
		try {
			const json cmd = json::parse(line);
			if (cmd.contains("id")) id = cmd.at("id");
			traceThis = cmd.value("trace", trace);
			if (cmd.at("cmd") == "quit") {
				emit({{"ok", true}, {"id", id}});
				break;
			}
			answer = execute(cmd);
		} catch (const BctbxException &e) {
			answer = {{"ok", false}, {"error", e.str()}};
		} catch (const std::exception &e) {
			answer = {{"ok", false}, {"error", e.what()}};
		}
		try {
			runPendingHttp(); // leftovers, if a command threw in the middle
		} catch (const std::exception &) {
		}
		if (!id.is_null()) answer["id"] = id;
		if (traceThis) answer["http"] = g_httpTrace;
		emit(answer);
	}
	g_clients.clear();
	curl_global_cleanup();
	return 0;
}

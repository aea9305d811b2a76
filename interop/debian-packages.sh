# For scripts that run programs of a Debian release other than this machine's: its packages, by an apt with lists, an (empty) package
# status and an archive of its own; nothing is installed here. To be sourced, with: cache (a folder), root (where packages are unpacked),
# suite, keyring, arch, and the functions log and fail. Where packages come from is this machine's own apt configuration: the first of
# its archives that has the release.

# Proxies and the like stay as this machine has them.
private_apt() {
	apt-get -q -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$cache/apt/state" -o Dir::State::status="$cache/apt/status" -o Dir::Cache="$cache/apt/cache" \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Install-Recommends=false \
		-o APT::Sandbox::User= -o Debug::NoLocking=true -o Acquire::Languages=none -o Acquire::Retries=2 "$@" > "$cache/apt/log" 2>&1
}

or_say_why() {
	"$@" || fail "$(grep -h '^[EW]:' "$cache/apt/log" | head -n 1)"
}

# An empty $root, and the package lists of $suite.
begin_fetching() {
	rm -rf "$root" "$cache/apt"
	mkdir -p "$root" "$cache/apt/state/lists/partial" "$cache/apt/cache/archives/partial"
	: > "$cache/apt/status"
	archives=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u)
	[ -n "$archives" ] || fail "apt of this machine knows no archive"
	log "fetching the package lists of $suite"
	for archive in $archives; do
		echo "deb [arch=$arch signed-by=$keyring] $archive $suite main" > "$cache/apt/sources.list"
		private_apt update -o APT::Update::Error-Mode=any && return
	done
	fail "no archive of this machine's apt has $suite: $(grep -h '^[EW]:' "$cache/apt/log" | head -n 1)"
}

# Packages by name, without what they depend on.
download() {
	(cd "$cache/apt/cache/archives" && or_say_why private_apt download "$@")
}

unpack_all() {
	for package in "$cache"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
}

# What is there, and what it is known by.
end_fetching() {
	rm -rf "$cache/apt"
	: > "$root/.complete"
}

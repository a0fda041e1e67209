# Sourced by scripts/run and scripts/test: installs the Debian packages that are missing, with sudo where needed.

PACKAGES_BUILD="gcc cmake ninja-build pkg-config libprotobuf-c-dev protobuf-c-compiler libnlopt-dev libcjson-dev libcsv-dev"
PACKAGES_TEST="libcmocka-dev libonnx-testdata"

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    echo "installing:" $missing >&2
    as_root apt-get update -qq
    # shellcheck disable=SC2086  # a list of words on purpose
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# configure and build a preset quietly; on failure show what went wrong
build_preset() {
    log=$(mktemp)
    if ! { cmake --preset "$1" -G Ninja >"$log" 2>&1 && cmake --build --preset "$1" >>"$log" 2>&1; }; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

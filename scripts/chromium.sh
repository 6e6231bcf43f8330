#!/bin/sh
# Make sure that there is a Chromium for the browser tests; on Debian get one with apt-get, as root or with sudo.
set -eu

found() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium*/chrome-linux*/* >/dev/null 2>&1
}

missing() {
    echo "The browser tests need a Chromium and none was found: $1" >&2
    exit 1
}

found && exit 0
command -v apt-get >/dev/null 2>&1 || missing "install Chromium or Google Chrome, or run: .venv/bin/playwright install chromium"
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    missing "run: sudo apt-get install chromium"
fi
echo "Installing Chromium for the browser tests with apt-get"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq </dev/null || echo "apt-get update failed; trying with the lists there are" >&2
$as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core </dev/null >/dev/null || missing "apt-get install chromium failed"
found || missing "apt-get installed no chromium command; run: .venv/bin/playwright install chromium"

#!/bin/sh
# Makes the secrets that compose.yaml hands to the containers, once; what is there stays.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

random() {
    head -c 48 /dev/urandom | base64 | tr -d '\n/+='
}

keep() {
    [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
}

keep secret_key "$(random)"
keep metrics_token "$(random)"
keep postgres_password "$(random)"
keep store_key "$(random)"
keep email_url 'consolemail://'
keep database_url "postgres://truthlens:$(cat secrets/postgres_password)@postgres:5432/truthlens"
keep store_config "{\"identities\": [{\"name\": \"truthlens\", \"credentials\": [{\"accessKey\": \"truthlens\", \
\"secretKey\": \"$(cat secrets/store_key)\"}], \"actions\": [\"Admin\", \"Read\", \"Write\", \"List\", \"Tagging\"]}]}"
# The containers' users are not yours: they read through the group that Docker mounts, so the folder is closed instead.
chmod 700 secrets
chmod 644 secrets/*

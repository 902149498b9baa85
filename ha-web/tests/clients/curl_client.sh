# What curl sees of the wire.
set -euo pipefail
ask() { curl --silent --show-error --cacert "$CERTIFICATE" --header "Authorization: PVEAPIToken=$TOKEN_ID=$TOKEN" "$@"; }
api=$URL/api2/json
expect() { # WHAT PATTERN TEXT
  grep -q -- "$2" <<<"$3" || { echo "$1: expected '$2' in: $3" >&2; exit 1; }
}
expect "ALPN" "HTTP/1.1 200" "$(ask --http2 --include "$api/version")"
for version in 1.2 1.3; do
  expect "TLS $version" '"release":"9.1"' "$(ask --tls-max "$version" --tlsv"$version" "$api/version/")"
done
if ask --tls-max 1.1 "$api/version" >/dev/null 2>&1; then echo "TLS 1.1 is taken" >&2; exit 1; fi
expect "reason" "HTTP/1.1 500 no such resource 'vm:999'" "$(ask --include "$api/cluster/ha/resources/vm%3A999")"
expect "reason" "HTTP/1.1 501 " "$(ask --include "$api/none")"
expect "no credentials" "HTTP/1.1 401 " "$(curl --silent --include --cacert "$CERTIFICATE" "$api/version")"
head -c 70000 /dev/zero | tr '\0' x >"$STORE.large"
expect "large body" "HTTP/1.1 413 " "$(ask --include --data "@$STORE.large" "$api/cluster/ha/resources")"
expect "large head" "HTTP/1.1 431 " "$(ask --include --header "X: $(head -c 20000 "$STORE.large")" "$api/version")"
rm "$STORE.large"

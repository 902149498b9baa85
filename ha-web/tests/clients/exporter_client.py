"""A scrape of prometheus-pve-exporter: one call that fails would fail all of it."""

import os

from pve_exporter.collector import CollectorsOptions, collect_pve

user, _, token = os.environ["TOKEN_ID"].partition("!")
config = {
    "user": user,
    "token_name": token,
    "token_value": os.environ["TOKEN"],
    "verify_ssl": os.environ["CERTIFICATE"],
}
options = CollectorsOptions(
    status=True,
    version=True,
    node=True,
    cluster=True,
    resources=True,
    config=True,
    replication=True,
    subscription=True,
    backup_info=True,
    qdevice=True,
)
text = collect_pve(config, os.environ["HOST"], True, True, options).decode()
for line in [
    "pve_up{id=",
    'pve_node_info{id="node/node1",level="",name="node1",nodeid="1"} 1.0',
    "pve_version_info{",
    'pve_guest_info{id="qemu/100"',
    'pve_subscription_info{id="node/node1"',
]:
    assert line in text, f"{line} is not in\n{text}"

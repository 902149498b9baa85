"""proxmoxer's whole round: by token and by login, what it reads and what it changes."""

import os

from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException

host = os.environ["HOST"]
user, _, token = os.environ["TOKEN_ID"].partition("!")
certificate = os.environ["CERTIFICATE"]
by_token = ProxmoxAPI(host, user=user, token_name=token, token_value=os.environ["TOKEN"], verify_ssl=certificate)
by_login = ProxmoxAPI(host, user="root@pam", password="correct horse", verify_ssl=certificate)


def refused(call, status, begins, **parameters):
    try:
        call(**parameters)
    except ResourceException as error:
        assert error.status_code == status, error
        assert error.content.startswith(begins), error
        return error
    raise AssertionError(f"{begins}: not refused")


for api in (by_token, by_login):
    assert api.version.get()["release"] == "9.1"
    ha = api.cluster.ha
    assert ha.resources.get() == []
    assert ha.resources.post(sid="vm:100", state="stopped", comment="a b") is None
    (resource,) = ha.resources.get()
    assert resource["comment"] == "a b" and resource["max_restart"] == 1, resource
    digest = ha.resources("vm:100").get()["digest"]
    ha.resources("vm:100").put(max_restart=3, failback=0, digest=digest)
    assert ha.resources("100").get()["max_restart"] == 3
    refused(ha.resources("vm:100").put, 500, "detected modified configuration", max_restart=1, digest=digest)
    error = refused(ha.resources.post, 400, "Parameter verification failed.", sid="vm:x", unknown=1)
    assert set(error.errors) == {"sid", "unknown"} or set(error.errors) == {"unknown"}, error.errors
    refused(ha.resources("vm:999").get, 500, "no such resource 'vm:999'")
    ha.groups.post(group="g1", nodes="node1:2,node2", nofailback=1)
    assert ha.groups.get()[0]["nodes"] == "node1:2,node2"
    ha.groups("g1").put(comment="x")
    ha.rules.post(rule="r1", type="node-affinity", resources="vm:100,ct:200", nodes="node1", strict=1)
    assert ha.rules("r1").get()["strict"] == 1
    ha.rules("r1").put(disable=1)
    assert ha.rules.get()[0]["disable"] == 1
    refused(ha.rules("none").get, 500, "no such ha rule 'none'")
    answer = ha.resources("vm:100").migrate.post(node="node2")
    assert answer["requested-node"] == "node2", answer
    assert {entry["type"] for entry in ha.status.current.get()} >= {"quorum", "master", "fencing", "lrm", "service"}
    assert "service_status" in ha.status.manager_status.get()["manager_status"]
    assert api.nodes("node1").qemu("100").status.current.get()["ha"]["managed"] == 1
    ha.rules("r1").delete()
    ha.groups("g1").delete()
    ha.resources("vm:100").delete()
    assert ha.resources.get() == [] and ha.groups.get() == [] and ha.rules.get() == []

try:
    ProxmoxAPI(host, user="root@pam", password="wrong", verify_ssl=certificate)
except AuthenticationError:
    pass
else:
    raise AssertionError("a wrong password is taken")

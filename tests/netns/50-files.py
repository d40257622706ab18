#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files between hosts: from who was here before and who was not, on the usual port."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import files  # noqa: E402
import lab  # noqa: E402

lab.enter(3)
step = lab.Steps()
place = files.Place()
source, target = place.dir("in"), place.dir("out")
path = files.write(source, "报告.bin", 2000000)
folder = os.path.join(source, "folder")
os.makedirs(os.path.join(folder, "sub"))
for i in range(50):
    files.write(folder, f"f{i}", 1000 * i)

listen = lab.Coo("h1", "listen", "--json", "--accept", "known", "--save-dir", target,
                 env={"COO_STATE_DIR": place.dir("s1")})
other = {"COO_STATE_DIR": place.dir("s2")}

with step("who was never here is not served from, but remembered"):
    sender = lab.Coo("h2", "send", "--json", "10.77.0.1", "-f", path, env=other)
    message = listen.expect(type="message")
    assert message["files"][0]["name"] == "报告.bin", message
    os.environ["COO_STATE_DIR"] = place.dir("s1")
    code, _, _ = lab.coo("h1", "get", "10.77.0.2", message["packet_no"], "-d", target)
    assert code == 0, code
    assert sender.process.wait(lab.WAIT) == 0
    assert files.sha256(os.path.join(target, "报告.bin")) == files.sha256(path)
    assert not listen.seen(type="transfer")

with step("who announced itself is, folder and all"):
    node = lab.Coo("h2", "listen", "--json", env=other)
    listen.expect(type="peer_up", peer__host="h2")  # by IPv4 or IPv6, whichever comes first
    sender = lab.Coo("h2", "send", "--json", "10.77.0.1", "-f", folder, env=other)
    done = listen.expect(type="transfer", status=lambda s: s in ("done", "failed"))
    assert done["status"] == "done" and done["files"] == 50, done
    assert sender.process.wait(lab.WAIT) == 0
    assert files.tree(os.path.join(target, "folder")) == files.tree(folder)

with step("one file to two hosts at once"):
    both = lab.Coo("h3", "listen", "--json", "--accept", "all", "--save-dir", place.dir("three"),
                   env={"COO_STATE_DIR": place.dir("s3")})
    code, out, _ = lab.coo("h2", "send", "10.77.0.1", "10.77.0.3", "-f", path)
    assert code == 0 and out.count(": fetched") == 2, (code, out)
    assert files.sha256(place.dir("three") + "/报告.bin") == files.sha256(path)
    assert files.sha256(os.path.join(target, "报告 (2).bin")) == files.sha256(path)
    assert both.stop() == 0 and listen.stop() == 0 and node.stop() == 0

place.close()
step.done()

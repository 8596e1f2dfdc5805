"""S3 servers, the model of the origin's network in front of them, and disks for the caches."""

import contextlib
import hashlib
import json
import os
import subprocess
from pathlib import Path

import harness
from harness import at_end, run, start, wait_for

ACCESS_KEY = "benchmark"
SECRET_KEY = hashlib.sha256(os.urandom(16)).hexdigest()
REMOTE_NICE = -10  # the remote world must not wait for the client's CPU


def credentials(endpoint):
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Server:
    """versitygw over `root`: each directory in it is a bucket. `tls`: (certificate, key) files."""

    def __init__(self, root, log, tls=None):
        program = harness.tool("versitygw", "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
        self.port = harness.free_port()
        args = [program, "--port", f"127.0.0.1:{self.port}", "--access", ACCESS_KEY, "--keep-alive", "--quiet"]
        if tls:
            args += ["--cert", tls[0], "--key", tls[1]]
        env = {"ROOT_SECRET_ACCESS_KEY": SECRET_KEY}
        nice = REMOTE_NICE if os.geteuid() == 0 else 0
        self.process = start(args + ["posix", root], env=env, log=log, nice=nice)
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        wait_for(lambda: harness.listening(self.port), "versitygw", process=self.process)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Origin:
    """The origin model in front of `server`; without `shape` the bytes pass as fast as they can and are counted."""

    REFERENCE = {"first-byte": "20ms", "per-connection": "60MB/s", "link": "250MB/s"}
    UNSHAPED = {"first-byte": "0", "per-connection": "unlimited", "link": "unlimited"}

    def __init__(self, server, log, shape=None):
        shape = shape or self.UNSHAPED
        self.port = harness.free_port()
        args = [harness.PENSTOCK, "bench", "origin", "--listen", f"127.0.0.1:{self.port}", "--to", f"127.0.0.1:{server.port}"]
        for key, value in shape.items():
            args += [f"--{key}", value]
        nice = REMOTE_NICE if os.geteuid() == 0 else 0
        self.process = start(args, log=log, nice=nice)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        wait_for(lambda: harness.listening(self.port), "origin model", timeout=120, process=self.process)

    def reset(self):
        harness.fetch_json(f"{self.endpoint}/.origin-model/reset", "POST")

    def counters(self):
        return harness.fetch_json(f"{self.endpoint}/.origin-model/counters")


class Generated:
    """A bucket 'models' whose objects (s3://models/model) are made when they are read; `more` are options of the command."""

    def __init__(self, log, *more):
        self.port = harness.free_port()
        args = [harness.PENSTOCK, "bench", "generated", "--port", self.port, *more]
        self.process = start(args, log=log, nice=REMOTE_NICE if os.geteuid() == 0 else 0)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        wait_for(lambda: harness.listening(self.port), "generated bucket", timeout=120, process=self.process)


def tag(path, name):
    """Gives a file put straight into versitygw's directory the ETag that an upload would have given it.

    Of the form of a multipart upload, so that no client takes it for an MD5 of the bytes.
    """
    digest = hashlib.md5(f"{name}:{path.stat().st_size}:{path.stat().st_mtime_ns}".encode(), usedforsecurity=False)
    os.setxattr(path, "user.etag", f'"{digest.hexdigest()}-{1 + path.stat().st_size // (8 << 20)}"'.encode())


def synthetic(root, bucket, prefix, layout="deepseek-v3", size="2GiB", tensors=7000):
    """Writes a synthetic checkpoint as bucket/prefix below `root`; returns its directory and its tensors' digests."""
    directory = Path(root) / bucket / prefix
    directory.mkdir(parents=True)
    digests = Path(root).parent / f"{prefix}.digests.json"
    run([harness.PENSTOCK, "bench", "checkpoint", "--layout", layout, "--size", size, "--tensors", tensors, directory])
    Path(f"{directory}.digests.json").rename(digests)
    for path in directory.iterdir():
        tag(path, path.name)
    return directory, json.loads(digests.read_text()), digests


def tree_bytes(directory):
    return sum(p.stat().st_size for p in Path(directory).rglob("*") if p.is_file())


def certificate(work):
    """A self-signed certificate for 127.0.0.1: (certificate, key)."""
    cert, key = work / "cert.pem", work / "key.pem"
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    )
    return cert, key


class Disk:
    """ext4 on a loop device over a file in `backing`: with `backing` in tmpfs the stand-in for an NVMe disk."""

    def __init__(self, work, backing, size):
        self.image = Path(backing) / "disk.img"
        self.path = work / "disk"
        self.path.mkdir()
        if not self.image.exists() or self.image.stat().st_size != size:
            self.allocate(size)
        run(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", self.image])
        self.attach()
        at_end(self.detach)

    def allocate(self, size):
        """Touches every page once: a real disk's blocks need not be found in memory first. Kept for the next disk."""
        self.image.unlink(missing_ok=True)
        with open(self.image, "wb", buffering=0) as f:
            left, zeros = size, bytes(4 * harness.MiB)
            while left > 0:
                left -= f.write(zeros[: min(left, len(zeros))])

    def attach(self):
        run(["mount", "-o", "loop,noatime", self.image, self.path])

    def detach(self):
        harness.unmount(self.path)

    def remove(self):
        self.detach()
        self.path.rmdir()

    def restart(self):
        """Nothing of it stays in the page cache of its file system."""
        run(["umount", self.path])
        self.attach()


class Directory:
    """A plain directory as the disk of the caches."""

    def __init__(self, path):
        self.path = harness.work_dir(path)

    def remove(self):
        run(["rm", "-rf", self.path])

    def restart(self):
        harness.cold(self.path)


@contextlib.contextmanager
def fresh_disk(where, work, size):
    """An empty disk for the caches: "loop", or a directory on the disk to use. Removed at the end."""
    if where == "loop":
        (work / "loop").mkdir(exist_ok=True)
        disk = Disk(work, work / "loop", size)
    else:
        disk = Directory(where)
    try:
        yield disk
    finally:
        disk.remove()


def tools_versions():
    versions = {}
    for name, args in {"s5cmd": ["version"], "rclone": ["version"], "s3fs": ["--version"], "juicefs": ["--version"], "versitygw": ["--version"]}.items():
        if harness.have(name):
            out = subprocess.run([harness.have(name), *args], capture_output=True, text=True).stdout
            versions[name] = out.splitlines()[0] if out else "unknown"
    return versions

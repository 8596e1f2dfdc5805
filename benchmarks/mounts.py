"""Ways to bring a model from a bucket to files that an engine can open. Each has the same few methods."""

import os
import shutil
from pathlib import Path

import harness
import servers
from harness import run, start, wait_for


class Way:
    """One way. `make_ready(point)` returns the directory to read from as soon as it can be used."""

    name = "?"
    keeps = False  # whether a second start finds bytes on the disk
    needs = ()

    def __init__(self, bucket, prefix, endpoint, disk, work, group):
        self.bucket, self.prefix, self.endpoint = bucket, prefix, endpoint
        self.disk, self.work, self.group = Path(disk), work, group
        self.env = servers.credentials(endpoint)
        self.log = work / f"{self.name.replace(' ', '-')}.log"
        self.process = None

    def prepare(self):
        """What is not timed: done once, before the clock starts."""

    def make_ready(self, point):
        raise NotImplementedError

    def end(self, point):
        harness.unmount(point)
        if self.process:
            try:
                self.process.wait(10)
            except Exception:
                harness.stop(self.process)
        self.process = None

    def mounted(self, point, timeout=60):
        wait_for(lambda: os.path.ismount(point), f"{self.name} mount ({self.log})", timeout, self.process)
        harness.at_end(harness.unmount, point)
        return point

    @classmethod
    def usable(cls):
        return all(harness.have(program) for program in cls.needs)


class Penstock(Way):
    name = "penstock"
    keeps = True
    flags = ()

    @classmethod
    def usable(cls):
        return os.access(harness.PENSTOCK, os.X_OK)

    def places(self):
        return ["--cache-dir", self.disk / "penstock", "--state-dir", self.work / "penstock-state"]

    def make_ready(self, point):
        harness.at_end(self.quietly_unmount, point)
        source = f"s3://{self.bucket}/{self.prefix}"
        run([harness.PENSTOCK, "mount", source, point, *self.places(), *self.flags], self.group, self.env, timeout=120)
        return point

    def end(self, point):
        run([harness.PENSTOCK, "unmount", point, *self.places()[2:]], self.group, self.env, timeout=60)
        wait_for(lambda: not self.group or not self.group.pids(), "penstock's processes end", 30)

    def quietly_unmount(self, point):
        if os.path.ismount(point):
            run([harness.PENSTOCK, "unmount", point, *self.places()[2:]], env=self.env, check=False, timeout=60)
        harness.unmount(point)


class PenstockPrefetch(Penstock):
    name = "penstock prefetch"
    flags = ("--prefetch",)


class S3fs(Way):
    name = "s3fs"
    needs = ("s3fs",)
    more = ()

    def make_ready(self, point):
        secret = self.work / "s3fs.passwd"
        secret.write_text(f"{servers.ACCESS_KEY}:{servers.SECRET_KEY}")
        secret.chmod(0o600)
        chosen = ["ro", f"url={self.endpoint}", "use_path_request_style", f"passwd_file={secret}", f"tmpdir={self.disk}"]
        chosen += ["parallel_count=16", *(m.format(disk=self.disk) for m in self.more)]
        args = [harness.tool("s3fs", "apt install s3fs"), f"{self.bucket}:/{self.prefix}", point, "-f"]
        self.process = start(args + [a for option in chosen for a in ("-o", option)], self.group, log=self.log)
        return self.mounted(point)


class S3fsCache(S3fs):
    name = "s3fs use_cache"
    keeps = True
    more = ("use_cache={disk}/s3fs",)


class Rclone(Way):
    name = "rclone mount"
    needs = ("rclone",)
    more = ["--vfs-cache-mode", "off"]

    def remote(self):
        keys = ["--s3-provider", "Other", "--s3-env-auth", "--s3-endpoint", self.endpoint, "--s3-region", "us-east-1"]
        return [f":s3:{self.bucket}/{self.prefix}", keys + ["--config", "/dev/null", "--cache-dir", self.disk / "rclone"]]

    def make_ready(self, point):
        remote, keys = self.remote()
        args = [harness.tool("rclone", "benchmarks/setup.sh"), "mount", remote, point, *keys, "--read-only"]
        args += self.more
        self.process = start(args, self.group, self.env, log=self.log)
        return self.mounted(point)


class RcloneFull(Rclone):
    name = "rclone mount full"
    keeps = True
    more = ["--vfs-cache-mode", "full", "--vfs-read-ahead", "64M"]


class JuiceFs(Way):
    """JuiceFS keeps its own format: the checkpoint is copied into a volume beforehand, past the origin model."""

    name = "juicefs"
    keeps = True
    needs = ("juicefs",)
    warm_up = False

    def meta(self):
        return f"sqlite3://{self.work}/juicefs-{self.bucket}.db"

    def prepare(self):
        program = harness.tool("juicefs", "benchmarks/setup.sh")
        direct = self.direct
        env = servers.credentials(direct)
        keys = ["--access-key", servers.ACCESS_KEY]
        secret = {**env, "SECRET_KEY": servers.SECRET_KEY, "ACCESS_KEY": servers.ACCESS_KEY}
        database = self.work / f"juicefs-{self.bucket}.db"
        if not database.exists():
            storage = ["--storage", "s3", "--bucket", f"{direct}/{self.bucket}-jfs", "--trash-days", "0", "--compress", "none"]
            run([program, "format", *storage, *keys, "--no-update", self.meta(), "volume"], env=secret)
            point = self.work / "juicefs-fill"
            point.mkdir()
            mounted = start([program, "mount", "--no-usage-report", "--cache-size", "0", self.meta(), point], env=env, log=self.log)
            wait_for(lambda: os.path.ismount(point), "juicefs", 30, mounted)
            shutil.copytree(self.directory, point / self.prefix)
            run([program, "umount", point])
            mounted.wait(30)
        run([program, "config", self.meta(), "--bucket", f"{self.endpoint}/{self.bucket}-jfs", "--yes", "--force"], env=secret)

    def make_ready(self, point):
        program = harness.tool("juicefs", "benchmarks/setup.sh")
        cache = ["--cache-dir", self.disk / "juicefs", "--cache-size", "102400", "--free-space-ratio", "0.02"]
        tuned = ["--max-downloads", "64", "--prefetch", "3", "--buffer-size", "600"]
        args = [program, "mount", "--no-usage-report", "--read-only", *cache, *tuned, self.meta(), point]
        self.process = start(args, self.group, self.env, log=self.log)
        self.mounted(point)
        if self.warm_up:
            run([program, "warmup", "--threads", "32", Path(point) / self.prefix], self.group, self.env)
        return Path(point) / self.prefix


class JuiceFsWarmUp(JuiceFs):
    name = "juicefs warmup"
    warm_up = True


class S5cmd(Way):
    """Copies everything, then lets the engine read."""

    name = "s5cmd, then read"
    keeps = True
    needs = ("s5cmd",)

    def make_ready(self, point):
        target = self.disk / "s5cmd"
        if not target.exists():
            target.mkdir()
            args = [harness.tool("s5cmd", "benchmarks/setup.sh"), "--endpoint-url", self.endpoint]
            run(args + ["cp", "--concurrency", "8", "--part-size", "16", f"s3://{self.bucket}/{self.prefix}/*", f"{target}/"], self.group, self.env)
        return target

    def end(self, point):
        pass


class RcloneCopy(Rclone):
    name = "rclone copy, then read"
    keeps = True

    def make_ready(self, point):
        target = self.disk / "rclone-copy"
        if not target.exists():
            remote, keys = self.remote()
            tuned = ["--transfers", "8", "--multi-thread-streams", "4"]
            run([harness.tool("rclone", "benchmarks/setup.sh"), "copy", remote, target, *keys, *tuned], self.group, self.env)
        return target

    def end(self, point):
        pass


WAYS = {
    "penstock": Penstock,
    "penstock-prefetch": PenstockPrefetch,
    "s3fs": S3fs,
    "s3fs-cache": S3fsCache,
    "rclone": Rclone,
    "rclone-full": RcloneFull,
    "juicefs": JuiceFs,
    "juicefs-warmup": JuiceFsWarmUp,
    "s5cmd": S5cmd,
    "rclone-copy": RcloneCopy,
}

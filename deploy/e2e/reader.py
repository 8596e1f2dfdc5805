"""What the end-to-end tests run in a pod.

check DIR            opens every safetensors file with the library, and prints a digest of each tensor and of each file
loop DIR DIGESTS     reads the files of DIGESTS again and again until /tmp/stop is there, and compares (with what was read first
                     where there is no digest): by read() on a file that stays open, by a map of it, and on files opened
                     anew; ends at the first difference or error
read DIR BYTES       reads that many bytes of the directory's files, in order of their names
"""

import hashlib
import json
import mmap
import os
import sys
import time

BLOCK = 4 << 20


def say(**what):
    print(json.dumps({"t": round(time.time(), 3), **what}), flush=True)


def files(directory):
    for parent, _, names in sorted(os.walk(directory)):
        for name in sorted(names):
            path = os.path.join(parent, name)
            yield os.path.relpath(path, directory), path


def tensors(path):
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as opened:
        for name in sorted(opened.keys()):
            yield name, opened.get_tensor(name)


def check(directory):
    digests, count = {}, 0
    whole = hashlib.sha256()
    for name, path in files(directory):
        with open(path, "rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
        if name.endswith(".safetensors"):
            for tensor, value in tensors(path):
                whole.update(tensor.encode())
                whole.update(value.tobytes())
                count += 1
    say(files=digests, tensors=count, tensor_digest=whole.hexdigest())


class Kept:
    """A file that stays open, as it was opened first: a handle that goes through the daemon keeps doing so."""

    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.descriptor).st_size
        self.map = mmap.mmap(self.descriptor, 0, prot=mmap.PROT_READ) if self.size else None

    def drop(self):
        """Lets go of what the kernel keeps, so that the next read asks for it again."""
        if self.map:
            self.map.madvise(mmap.MADV_DONTNEED)
        os.posix_fadvise(self.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def by_read(self):
        digest, offset = hashlib.sha256(), 0
        while block := os.pread(self.descriptor, BLOCK, offset):
            digest.update(block)
            offset += len(block)
        return digest.hexdigest()

    def by_map(self):
        digest = hashlib.sha256()
        for offset in range(0, self.size, BLOCK):
            digest.update(self.map[offset : offset + BLOCK])
        return digest.hexdigest()


def by_open(path):
    with open(path, "rb", buffering=0) as file:
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return digest.hexdigest()


def state(path):
    try:
        return os.getxattr(path, "user.penstock.state").decode()
    except OSError:
        return "direct"


def loop(directory, expected):
    paths = {name: path for name, path in files(directory) if name in expected}
    states = {name: state(path) for name, path in paths.items()}
    kept = {name: Kept(path) for name, path in paths.items()}
    say(reading=states)
    rounds, slowest = 0, 0.0
    while not os.path.exists("/tmp/stop"):
        for name, path in paths.items():
            for way, read in (
                ("read", kept[name].by_read),
                ("map", kept[name].by_map),
                ("open", lambda: by_open(path)),
            ):
                kept[name].drop()
                begin = time.monotonic()
                digest = read()
                slowest = max(slowest, time.monotonic() - begin)
                if digest != (expected[name] or digest):
                    say(error="wrong bytes", file=name, way=way)
                    sys.exit(1)
                expected[name] = digest
        rounds += 1
        say(rounds=rounds, slowest=round(slowest, 3))
        time.sleep(0.2)
    say(done=rounds, slowest=round(slowest, 3))


def read(directory, limit):
    begin, done, first = time.time(), 0, None
    for _, path in files(directory):
        with open(path, "rb", buffering=0) as file:
            while done < limit and (block := file.read(BLOCK)):
                first = first or time.time()
                done += len(block)
    say(bytes=done, seconds=round(time.time() - begin, 3), first_byte=round((first or begin) - begin, 3))


if __name__ == "__main__":
    say(started=sys.argv[1])
    try:
        if sys.argv[1] == "check":
            check(sys.argv[2])
        elif sys.argv[1] == "loop":
            loop(sys.argv[2], json.loads(sys.argv[3]))
        else:
            read(sys.argv[2], int(sys.argv[3]))
    except OSError as error:
        say(error=str(error))
        sys.exit(1)

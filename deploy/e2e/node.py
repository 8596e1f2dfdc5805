"""What the end-to-end tests do on a node, from a pod that sees the node's processes.

processes WORD      processes with WORD in their command line, or with the name NAME if WORD is =NAME, or either with A|B:
                    [{"pid", "user", "command"}]
kill WORD SIGNAL    sends a signal to each of them; prints their pids
later WORD SIGNAL   does so a second after this program has ended, for processes that it needs itself
oom WORD            has the kernel kill each of them for want of memory in their container's cgroup; prints their pids
mounts WORD         mounts of the node with WORD in their line
paths PATH...       those of these paths of the node that are there, and what is in them
stored PATH...      bytes of the disk that the chunks below these paths of the node take
remove PATH...      removes directories of the node, or what is in them where they are mount points; prints what is left
"""

import json
import os
import shutil
import signal
import sys
import time

ROOT = "/proc/1/root"


def processes(word):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
            user = os.stat(f"/proc/{pid}").st_uid
            with open(f"/proc/{pid}/comm") as file:
                name = file.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(w == "=" + name or w in command for w in word.split("|")) and "node.py" not in command:
            found.append({"pid": int(pid), "user": user, "command": command})
    return found


def kill(word, name):
    killed = []
    for process in processes(word):
        os.kill(process["pid"], getattr(signal, name))
        killed.append(process["pid"])
    return killed


def later(word, name):
    found = processes(word)
    if os.fork() == 0:
        os.setsid()
        for descriptor in range(3):
            os.close(descriptor)
        time.sleep(1)
        kill(word, name)
        os._exit(0)
    return found


def cgroup(pid):
    """Directory of the cgroup that counts the memory of a process."""
    with open(f"/proc/{pid}/cgroup") as file:
        groups = {c: path for _, controllers, path in (line.strip().split(":", 2) for line in file) for c in controllers.split(",")}
    if "memory" in groups:
        return f"{ROOT}/sys/fs/cgroup/memory{groups['memory']}"
    return f"{ROOT}/sys/fs/cgroup{groups['']}"


def write(path, value):
    with open(path, "w") as file:
        file.write(str(value))


def oom(word):
    """Takes memory in the process's own cgroup, after telling the kernel that the process is the one to kill."""
    found = []
    for process in processes(word):
        pid = process["pid"]
        group = cgroup(pid)
        write(f"/proc/{pid}/oom_score_adj", 1000)
        child = os.fork()
        if child == 0:
            write("/proc/self/oom_score_adj", 0)
            write(f"{group}/cgroup.procs", os.getpid())
            taken = []
            while running(pid) and len(taken) < 4096:
                taken.append(b"x" * (1 << 20))
            os._exit(0 if len(taken) < 4096 else 1)
        os.waitpid(child, 0)
        if not running(pid):
            found.append(pid)
    return found


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(") ", 1)[1][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def mounts(word):
    with open("/proc/1/mountinfo") as file:
        return [line.strip() for line in file if word in line]


def paths(*names):
    found = []
    for name in names:
        path = ROOT + name
        if os.path.isdir(path):
            found += [name] + [os.path.join(name, child) for child in sorted(os.listdir(path))]
        elif os.path.lexists(path):
            found.append(name)
    return found


def stored(*names):
    total = 0
    for name in names:
        for parent, _, files in os.walk(ROOT + name):
            for file in files:
                if file.endswith(".data"):
                    total += os.stat(os.path.join(parent, file)).st_blocks * 512
    return total


def remove(*names):
    points = {line.split()[4] for line in mounts("")}
    left = []
    for name in names:
        # Seen from this container a mount point of the node is no reason to refuse: the kernel would unmount it there, and on
        # every other node that has the same file system below it.
        if not any(point.startswith(name + "/") for point in points):
            for entry in os.scandir(ROOT + name) if name in points else [ROOT + name]:
                delete(entry)
        left += [path for path in paths(name) if path != name or name not in points]
    return left


def delete(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.remove(path)


if __name__ == "__main__":
    print(json.dumps({f.__name__: f for f in (processes, kill, later, oom, mounts, paths, stored, remove)}[sys.argv[1]](*sys.argv[2:])))

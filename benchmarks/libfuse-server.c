// A read-only file system over the files of one directory, with libfuse's low-level interface: what plain mode is measured
// against. Flat, no writes, replies with descriptors (spliced where the kernel does), several threads.
//
// cc -O2 libfuse-server.c -o libfuse-server $(pkg-config --cflags --libs fuse3)
// ./libfuse-server DIRECTORY MOUNTPOINT
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES 65536
static int directory;
static char *names[MOST_FILES];
static int count;
static const double FOREVER = 86400;

static int attributes(fuse_ino_t ino, struct stat *st) {
  int r = ino == FUSE_ROOT_ID ? fstat(directory, st) : fstatat(directory, names[ino - 2], st, 0);
  st->st_ino = ino;
  return r;
}

static void init(void *data, struct fuse_conn_info *conn) {
  (void)data;
  conn->want |= conn->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  conn->max_readahead = 1 << 20;
}

static void lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
  (void)parent;
  struct fuse_entry_param e = {.attr_timeout = FOREVER, .entry_timeout = FOREVER};
  for (int i = 0; i < count; i++)
    if (!strcmp(names[i], name)) {
      e.ino = i + 2;
      if (attributes(e.ino, &e.attr) == 0) fuse_reply_entry(req, &e);
      else fuse_reply_err(req, errno);
      return;
    }
  fuse_reply_err(req, ENOENT);
}

static void getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)fi;
  struct stat st;
  if (attributes(ino, &st) == 0) fuse_reply_attr(req, &st, FOREVER);
  else fuse_reply_err(req, errno);
}

static void readdir_(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi) {
  (void)ino, (void)fi;
  char *buffer = malloc(size);
  size_t used = 0;
  for (int i = (int)off; i < count; i++) {
    struct stat st = {.st_ino = i + 2, .st_mode = S_IFREG};
    size_t need = fuse_add_direntry(req, buffer + used, size - used, names[i], &st, i + 1);
    if (need > size - used) break;
    used += need;
  }
  fuse_reply_buf(req, buffer, used);
  free(buffer);
}

static void open_(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  if ((fi->flags & O_ACCMODE) != O_RDONLY) {
    fuse_reply_err(req, EROFS);
    return;
  }
  int fd = openat(directory, names[ino - 2], O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fuse_reply_err(req, errno);
    return;
  }
  fi->fh = fd;
  fi->keep_cache = 1;
  fuse_reply_open(req, fi);
}

static void read_(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi) {
  (void)ino;
  struct fuse_bufvec buffer = FUSE_BUFVEC_INIT(size);
  buffer.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
  buffer.buf[0].fd = fi->fh;
  buffer.buf[0].pos = off;
  fuse_reply_data(req, &buffer, FUSE_BUF_SPLICE_MOVE);
}

static void release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) {
  (void)ino;
  close(fi->fh);
  fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .init = init, .lookup = lookup, .getattr = getattr, .readdir = readdir_, .open = open_, .read = read_, .release = release};

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: libfuse-server DIRECTORY MOUNTPOINT\n");
    return 2;
  }
  directory = open(argv[1], O_RDONLY | O_DIRECTORY);
  DIR *d = fdopendir(dup(directory));
  if (directory < 0 || !d) {
    perror(argv[1]);
    return 1;
  }
  for (struct dirent *e; (e = readdir(d)) && count < MOST_FILES;)
    if (e->d_type == DT_REG) names[count++] = strdup(e->d_name);
  char *args[] = {"libfuse-server", "-o", "ro,fsname=libfuse-server,allow_other"};
  struct fuse_args fuse = FUSE_ARGS_INIT(3, args);
  struct fuse_session *session = fuse_session_new(&fuse, &operations, sizeof operations, NULL);
  if (!session || fuse_set_signal_handlers(session) || fuse_session_mount(session, argv[2])) return 1;
  struct fuse_loop_config *config = fuse_loop_cfg_create();
  int r = fuse_session_loop_mt(session, config);
  fuse_session_unmount(session);
  fuse_session_destroy(session);
  return r ? 1 : 0;
}

/*
 * faulty-disk BACKING MOUNT: a file system that hands everything on to BACKING, and fails where it is told.
 *
 * It is told on standard input, a line each, and answers each with one line:
 *
 *   fail ERROR OPS PATTERN SKIP COUNT AT
 *                                       of the operations in OPS on paths that match PATTERN the first SKIP
 *                                       pass, the next COUNT fail with ERROR (EIO, ENOSPC, EROFS; HANG waits for
 *                                       `clear`); COUNT 0: all later ones; AT: only reads of that octet, or -1
 *   clear                               forgets all that, and lets go whoever hangs
 *   fired                               how many operations have failed since the last `clear`
 *   trace                               operations since the last `trace`: "OP PATH RESULT", separated by ';'
 *
 * OPS: r read, w write, s fsync, c create, t truncate, u unlink, n rename, m mkdir, d fsync of a folder,
 * l look: open, attributes, names in a folder, free space.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fuse.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RULES_MAX 16
#define TRACE_BYTES (4 * 1024 * 1024)
#define HANG -1

struct rule {
  int error;
  char ops[16];
  char pattern[256];
  long skip;
  long count;
  long at;
};

static char backing[4096];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cleared = PTHREAD_COND_INITIALIZER;
static struct rule rules[RULES_MAX];
static int rule_count;
static long fired;
static long generation;
static char *trace;
static size_t traced;

static const char *full(const char *path, char *out) {
  snprintf(out, 8192, "%s%s", backing, path);
  return out;
}

/* 0, or the negative errno with which the operation is to fail. */
static int fault_at(char op, const char *path, long from, long to) {
  int result = 0;
  /* libfuse tells no path of a file that is open still and has no name any more. */
  if (path == NULL) path = "/(deleted)";
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < rule_count && result == 0; i++) {
    struct rule *rule = &rules[i];
    if (strchr(rule->ops, op) == NULL || fnmatch(rule->pattern, path + 1, FNM_EXTMATCH) != 0) continue;
    if (rule->at >= 0 && (rule->at < from || rule->at >= to)) continue;
    if (rule->skip > 0) {
      rule->skip--;
      continue;
    }
    if (rule->count < 0) continue;
    if (rule->count > 0 && --rule->count == 0) rule->count = -1;
    fired++;
    if (rule->error == HANG) {
      long of = generation;
      while (of == generation) pthread_cond_wait(&cleared, &mutex);
    } else
      result = -rule->error;
  }
  if (op != 'r' && op != 'l' && traced + 512 < TRACE_BYTES)
    traced += snprintf(trace + traced, 512, "%s%c %s %d", traced > 0 ? ";" : "", op, path + 1, -result);
  pthread_mutex_unlock(&mutex);
  return result;
}

static int fault(char op, const char *path) { return fault_at(op, path, 0, 0); }

#define FAIL(op, path)                       \
  do {                                       \
    int failed = fault(op, path);            \
    if (failed != 0) return failed;          \
  } while (0)
#define DONE(call) return (call) == -1 ? -errno : 0

static int do_getattr(const char *path, struct stat *st, struct fuse_file_info *fi) {
  char name[8192];
  FAIL('l', path);
  if (fi != NULL) DONE(fstat((int)fi->fh, st));
  DONE(lstat(full(path, name), st));
}

static int do_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *fi, enum fuse_readdir_flags flags) {
  char name[8192];
  (void)offset, (void)fi, (void)flags;
  FAIL('l', path);
  DIR *dir = opendir(full(path, name));
  if (dir == NULL) return -errno;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) fill(buf, entry->d_name, NULL, 0, 0);
  closedir(dir);
  return 0;
}

static int do_mkdir(const char *path, mode_t mode) {
  char name[8192];
  FAIL('m', path);
  DONE(mkdir(full(path, name), mode));
}

static int do_rmdir(const char *path) {
  char name[8192];
  DONE(rmdir(full(path, name)));
}

static int do_unlink(const char *path) {
  char name[8192];
  FAIL('u', path);
  DONE(unlink(full(path, name)));
}

static int do_rename(const char *from, const char *to, unsigned int flags) {
  char old[8192], new[8192];
  if (flags != 0) return -EINVAL;
  FAIL('n', from);
  DONE(rename(full(from, old), full(to, new)));
}

static int do_chmod(const char *path, mode_t mode, struct fuse_file_info *fi) {
  char name[8192];
  (void)fi;
  DONE(chmod(full(path, name), mode));
}

static int do_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi) {
  char name[8192];
  (void)fi;
  DONE(lchown(full(path, name), uid, gid));
}

static int do_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *fi) {
  char name[8192];
  (void)fi;
  DONE(utimensat(AT_FDCWD, full(path, name), times, AT_SYMLINK_NOFOLLOW));
}

static int do_truncate(const char *path, off_t size, struct fuse_file_info *fi) {
  char name[8192];
  FAIL('t', path);
  if (fi != NULL) DONE(ftruncate((int)fi->fh, size));
  DONE(truncate(full(path, name), size));
}

static int opened(const char *path, int fd, struct fuse_file_info *fi) {
  if (fd == -1) return -errno;
  fi->fh = (uint64_t)fd;
  /* Reads come here each time; what SQLite maps into memory needs the kernel's pages, which direct_io has not. */
  fi->direct_io = strstr(path, "-shm") == NULL;
  return 0;
}

static int do_open(const char *path, struct fuse_file_info *fi) {
  char name[8192];
  FAIL('l', path);
  return opened(path, open(full(path, name), fi->flags & ~O_APPEND), fi);
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *fi) {
  char name[8192];
  FAIL('c', path);
  return opened(path, open(full(path, name), fi->flags & ~O_APPEND, mode), fi);
}

static int do_read(const char *path, char *buf, size_t size, off_t at, struct fuse_file_info *fi) {
  int failed = fault_at('r', path, (long)at, (long)at + (long)size);
  if (failed != 0) return failed;
  ssize_t got = pread((int)fi->fh, buf, size, at);
  return got == -1 ? -errno : (int)got;
}

static int do_write(const char *path, const char *buf, size_t size, off_t at,
                    struct fuse_file_info *fi) {
  FAIL('w', path);
  ssize_t put = pwrite((int)fi->fh, buf, size, at);
  return put == -1 ? -errno : (int)put;
}

static int do_fsync(const char *path, int data_only, struct fuse_file_info *fi) {
  (void)data_only, (void)fi;
  /* Nothing is made durable: what a test takes away is the answer, not the power. */
  return fault('s', path);
}

static int do_fsyncdir(const char *path, int data_only, struct fuse_file_info *fi) {
  (void)data_only, (void)fi;
  return fault('d', path);
}

static int do_release(const char *path, struct fuse_file_info *fi) {
  (void)path;
  close((int)fi->fh);
  return 0;
}

static int do_statfs(const char *path, struct statvfs *st) {
  char name[8192];
  FAIL('l', path);
  DONE(statvfs(full(path, name), st));
}

static int error_of(const char *name) {
  if (strcmp(name, "ENOSPC") == 0) return ENOSPC;
  if (strcmp(name, "EROFS") == 0) return EROFS;
  return strcmp(name, "HANG") == 0 ? HANG : EIO;
}

static void clear(void) {
  rule_count = 0;
  fired = 0;
  generation++;
  pthread_cond_broadcast(&cleared);
}

static void obey(char *line) {
  char error[16];
  struct rule rule;
  pthread_mutex_lock(&mutex);
  if (sscanf(line, "fail %15s %15s %255s %ld %ld %ld", error, rule.ops, rule.pattern, &rule.skip,
             &rule.count, &rule.at) == 6 && rule_count < RULES_MAX) {
    rule.error = error_of(error);
    rules[rule_count++] = rule;
    puts("ok");
  } else if (strncmp(line, "clear", 5) == 0) {
    clear();
    puts("ok");
  } else if (strncmp(line, "fired", 5) == 0) {
    printf("%ld\n", fired);
  } else if (strncmp(line, "trace", 5) == 0) {
    trace[traced] = 0;
    puts(trace);
    traced = 0;
  } else
    puts("unknown");
  fflush(stdout);
  pthread_mutex_unlock(&mutex);
}

static void *listen_(void *unused) {
  char line[1024];
  (void)unused;
  while (fgets(line, sizeof line, stdin) != NULL) obey(line);
  pthread_mutex_lock(&mutex);
  clear(); /* whoever told us is gone: nobody may hang for ever */
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void *do_init(struct fuse_conn_info *conn, struct fuse_config *config) {
  pthread_t thread;
  (void)conn;
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  config->hard_remove = 1;
  pthread_create(&thread, NULL, listen_, NULL);
  puts("mounted");
  fflush(stdout);
  return NULL;
}

static const struct fuse_operations operations = {
    .init = do_init,         .getattr = do_getattr, .readdir = do_readdir,   .mkdir = do_mkdir,
    .rmdir = do_rmdir,       .unlink = do_unlink,   .rename = do_rename,     .chmod = do_chmod,
    .chown = do_chown,       .utimens = do_utimens, .truncate = do_truncate, .open = do_open,
    .create = do_create,     .read = do_read,       .write = do_write,       .fsync = do_fsync,
    .fsyncdir = do_fsyncdir, .release = do_release, .statfs = do_statfs,
};

int main(int argc, char **argv) {
  if (argc != 3 || realpath(argv[1], backing) == NULL) {
    fprintf(stderr, "usage: faulty-disk BACKING MOUNT\n");
    return 2;
  }
  trace = malloc(TRACE_BYTES + 1);
  char *args[] = {argv[0], "-f", "-o", "default_permissions", argv[2], NULL};
  return fuse_main(5, args, &operations, NULL);
}

/* The profiles of a folder, each a file ID.json. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/files.h"
#include "daemon/poll/poller.h"

enum {
    PROFILES = 1000,
    PATH_MOST = 1024
};

#define INSTALLED LODEWATCH_PREFIX "/share/lodewatch/profiles"
#define IN_SOURCE "/../etc/profiles" /* from build/ */

struct profiles {
    int n;
    struct lw_profile *profile[PROFILES];
};

static int
is_profile(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return entry->d_name[0] != '.' && n > 5 &&
           strcmp(entry->d_name + n - 5, ".json") == 0;
}

/* LW_ENOMEM alone stops the others from being read: their faults are wanted too. */
static int
load_one(const char *path, struct lw_faults *faults, struct profiles *profiles)
{
    char *json = NULL;
    size_t n = 0;
    int rc = files_read(path, LW_PROFILE_BYTES, &json, &n);
    if (rc == 0) {
        rc = lw_profile_new(path, json, n, faults, &profiles->profile[profiles->n]);
        profiles->n += rc == 0;
    } else if (rc == LW_EIO) {
        lw_fault_add(faults, path, 0, 0, "cannot be read: %s", strerror(errno));
    }
    free(json);
    return rc == LW_ENOMEM ? rc : 0;
}

/* Where the profiles are when nobody says: as installed, or where the program is run from
 * the tree that it was built in. */
static const char *
default_dir(char path[PATH_MOST])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MOST - sizeof IN_SOURCE);
    char *slash;

    if (access(INSTALLED, R_OK) == 0 || n <= 0)
        return INSTALLED;
    path[n] = 0;
    slash = strrchr(path, '/');
    memcpy(slash, IN_SOURCE, sizeof IN_SOURCE);
    return access(path, R_OK) == 0 ? path : INSTALLED;
}

int
profiles_load(const char *dir, struct lw_faults *faults, struct profiles **ret_profiles)
{
    struct profiles *profiles = calloc(1, sizeof *profiles);
    struct dirent **entry = NULL;
    char fallback[PATH_MOST];
    uint32_t before = faults->n;
    int rc = 0;

    if (profiles == NULL)
        return LW_ENOMEM;
    if (*dir == 0)
        dir = default_dir(fallback);
    int n = scandir(dir, &entry, is_profile, alphasort);
    if (n < 0)
        lw_fault_add(faults, dir, 0, 0, "cannot be read: %s", strerror(errno));
    if (n > PROFILES)
        lw_fault_add(faults, dir, 0, 0, "%d profiles; at most %d are kept", n, PROFILES);
    for (int i = 0; i < n && rc == 0 && n <= PROFILES; i++) {
        char path[LW_FAULT_FILE * 4];
        if (snprintf(path, sizeof path, "%s/%s", dir, entry[i]->d_name) <
            (int)sizeof path)
            rc = load_one(path, faults, profiles);
        else
            lw_fault_add(faults, dir, 0, 0, "%s: the path is too long", entry[i]->d_name);
    }
    if (rc == 0 && faults->n != before)
        rc = LW_EPARSE;
    if (rc == 0) {
        *ret_profiles = profiles;
        profiles = NULL;
    }
    for (int i = 0; i < n; i++)
        free(entry[i]);
    free(entry);
    profiles_free(profiles);
    return rc;
}

void
profiles_free(struct profiles *profiles)
{
    if (profiles == NULL)
        return;
    for (int i = 0; i < profiles->n; i++)
        lw_profile_free(profiles->profile[i]);
    free(profiles);
}

int
profiles_n(const struct profiles *profiles)
{
    return profiles->n;
}

const struct lw_profile *
profiles_at(const struct profiles *profiles, int i)
{
    return profiles->profile[i];
}

const struct lw_profile *
profiles_find(const struct profiles *profiles, const char *id)
{
    for (int i = 0; i < profiles->n; i++)
        if (strcmp(profiles->profile[i]->id, id) == 0)
            return profiles->profile[i];
    return NULL;
}

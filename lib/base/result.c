/* What result codes mean, in words. */
#include <lodewatch/result.h>

static const char *const texts[] = {
    [0] = "done",
    [-LW_EINVAL] = "not a valid value",
    [-LW_ENOMEM] = "out of memory",
    [-LW_ERANGE] = "out of range",
    [-LW_EFULL] = "full",
    [-LW_EPARSE] = "not of the expected form",
    [-LW_EPROTO] = "protocol error",
    [-LW_EAGAIN] = "not enough data yet",
    [-LW_ENOTFOUND] = "not found",
    [-LW_EVERSION] = "written by a newer release",
    [-LW_EIO] = "input/output error",
    [-LW_EDENIED] = "not permitted",
};

const char *
lw_result_text(int rc)
{
    if (rc > 0 || rc < LW_EDENIED)
        return "unknown result";
    return texts[-rc];
}

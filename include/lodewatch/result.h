/* Result codes: every function that can fail returns 0 or one of these. */
#ifndef LODEWATCH_RESULT_H
#define LODEWATCH_RESULT_H

#define LW_MUSTCHECK __attribute__((warn_unused_result))

enum lw_result {
    LW_EINVAL = -1,    /* an argument or a value that cannot be */
    LW_ENOMEM = -2,    /* memory is exhausted */
    LW_ERANGE = -3,    /* a number outside the range of its unit */
    LW_EFULL = -4,     /* a bounded thing is full */
    LW_EPARSE = -5,    /* text or bytes that are not of the form; the faults say where */
    LW_EPROTO = -6,    /* a peer's frame that breaks the protocol */
    LW_EAGAIN = -7,    /* not enough bytes or samples yet */
    LW_ENOTFOUND = -8, /* no such thing */
    LW_EVERSION = -9,  /* written by a newer release */
    LW_EIO = -10,      /* the system refused; errno says why (daemon/ only) */
    LW_EDENIED = -11,  /* not permitted */
};

/* A short English phrase for a result code; never NULL. */
const char *lw_result_text(int rc);

#endif

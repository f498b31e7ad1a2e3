/* Files of the tree that are part of the program, embedded when it is assembled. Paths
 * are from the tree's root. */
#ifndef DAEMON_EMBED_H
#define DAEMON_EMBED_H

#include <stddef.h>
#include <stdint.h>

/* EMBED(schema, "docs/x.json") defines `schema` with its size in `schema_end - schema`;
 * the bytes are followed by a NUL, so that text can be used as a string. */
#define EMBED(symbol, file)                                                              \
    __asm__(".pushsection .rodata\n"                                                     \
            ".global " #symbol "\n"                                                      \
            ".global " #symbol "_end\n" #symbol ":\n"                                    \
            ".incbin \"" file "\"\n" #symbol "_end:\n"                                   \
            ".byte 0\n"                                                                  \
            ".popsection\n");                                                            \
    extern const char symbol[];                                                          \
    extern const char symbol##_end[]

/* Two symbols to the compiler, one object to the assembler. */
#define EMBED_SIZE(symbol) ((size_t)((uintptr_t)symbol##_end - (uintptr_t)symbol))

#endif

/* The table of rule families, in the order in which they see an event. */
#include "lib/state.h"

const struct family *const detect_families[] = {
    &detect_silence,   &detect_overrun, &detect_register,
    &detect_site_load, &detect_feeder,  &detect_coverage,
};

const int detect_nfamilies = sizeof detect_families / sizeof detect_families[0];

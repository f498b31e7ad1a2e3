/* The table of rule families, in the order in which they see an event. */
#include "lib/state.h"

const struct family *const detect_families[] = {
    &detect_silence,  &detect_overrun, &detect_wiring,  &detect_register,
    &detect_stuck,    &detect_sum,     &detect_clock,   &detect_over,
    &detect_share,    &detect_weather, &detect_tip_off, &detect_site_load,
    &detect_pattern,  &detect_cutoff,  &detect_unusual, &detect_feeder,
    &detect_coverage,
};

const int detect_nfamilies = sizeof detect_families / sizeof detect_families[0];

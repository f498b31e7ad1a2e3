/* How sure a finding is, in 1/1000: one less the chance that nothing is there. */
#include <math.h>

#include "lib/state.h"

int32_t
sure_beyond(double times)
{
    double wrong = 100 / (times * times);

    return 1000 - (int32_t)lrint(fmin(fmax(wrong, 1), 999));
}

int32_t
sure_spread(double sigmas)
{
    return sigmas > 1 ? 1000 - (int32_t)lrint(fmax(500 / (sigmas * sigmas), 1)) : 500;
}

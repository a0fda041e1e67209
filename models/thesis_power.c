#include <math.h>

#include "thesis.h"

/* U_fb = (T_comp + u_mem T_mem) / (T_comp + T_mem)   (design section 12) */
double adept_thesis_utilisation(double compute_s, double memory_s, double u_mem) {
    double both_s = compute_s + memory_s;
    return both_s > 0 ? (compute_s + u_mem * memory_s) / both_s : 0;
}

/*
 * P_c = P_static + U_c (P_TDP - P_static) C_P   (eq 4.14), watts of one GPU; P_static is a share of P_TDP.
 * Cut at the power limit; a limit below P_static cannot be held and leaves P_static.
 */
double adept_thesis_phase_power_W(const adept_thesis_row *row, double utilisation, const double *theta) {
    double static_W = theta[ADEPT_THESIS_P_STATIC] * row->tdp_W;
    double power_W = static_W + utilisation * (row->tdp_W - static_W) * theta[ADEPT_THESIS_C_P];
    return fmin(power_W, fmax(row->limit_W, static_W));
}

/* P_avg = sum_c P_c T_c / T_step   (eq 4.15); U = u_mem in the optimizer, u_comm in communication, else 0. */
double adept_thesis_average_power_W(const adept_thesis_row *row, const adept_thesis_times *times,
                                    const double *theta) {
    double u_mem = theta[ADEPT_THESIS_U_MEM];
    double u_passes = adept_thesis_utilisation(times->compute_s, times->memory_s, u_mem);
    double energy_J =
        adept_thesis_phase_power_W(row, u_passes, theta) * times->passes_s +
        adept_thesis_phase_power_W(row, u_mem, theta) * times->optimizer_s +
        adept_thesis_phase_power_W(row, theta[ADEPT_THESIS_U_COMM], theta) * times->communication_s +
        adept_thesis_phase_power_W(row, 0, theta) * (times->launch_s + times->fixed_s);
    return times->step_s > 0 ? energy_J / times->step_s : adept_thesis_phase_power_W(row, 0, theta);
}

/* The sentences of the rules about a feeder and its neighbours. */
#include "sentences.h"

#define ZH_RESIDUAL                                                                                                     \
    "{from}至{to}：馈线总表比各分表之和平均多{mean_kw}千瓦，其中正常线损{expected_kw}千瓦，" \
    "不明电量{excess_kwh}千瓦时。"
#define EN_RESIDUAL                                                                      \
    "From {from} to {to} the feeder's meter counted {mean_kw} kW more than its meters together, of which {expected_kw} kW is the loss that was learned; {excess_kwh} kWh went to no meter. "

static const struct sentences table[] = {
    {
        .rule = LW_RULE_FEEDER_RESIDUAL,
        .finding = LW_FOUND_RESIDUAL,
        .zh = true,
        .event = "不明原因用电异常",
        .raised = "{subject}自{from}起有约{step_kw}千瓦用电未经任何电表计量",
        .updated = "{subject}仍有用电未经任何电表计量，自{from}起共{excess_kwh}千瓦时",
        .returned = "{subject}的电量与各分表及线损相符",
        .active = ZH_RESIDUAL "{sure}{silent_children}{candidates}",
        .back = ZH_RESIDUAL,
        .action =
            "核对换表、新装和改接记录以及失联电表，再按所列顺序查看现场，查到的用电点录入台账",
    },
    {
        .rule = LW_RULE_FEEDER_RESIDUAL,
        .finding = LW_FOUND_RESIDUAL,
        .zh = false,
        .event = "Unexplained consumption",
        .raised = "About {step_kw} kW on {subject} have passed no meter since {from}",
        .updated =
            "Load on {subject} still passes no meter: {excess_kwh} kWh since {from}",
        .returned = "The energy of {subject} agrees with its meters and its loss",
        .active = EN_RESIDUAL "{sure}{silent_children}{candidates}",
        .back = EN_RESIDUAL,
        .action =
            "check exchanges, new and switched-over customers and silent meters, then the sites in the order given; enter what is found as a site",
    },
    {
        .rule = LW_RULE_DISPLACEMENT,
        .finding = LW_FOUND_DISPLACED,
        .zh = true,
        .event = "不明原因用电异常",
        .raised = "{other_site}停用后，{subject}增加约{step_kw}千瓦",
        .updated = "{other_site}停用后，{subject}的增量仍在",
        .returned = "{subject}的用电回到往常水平",
        .active =
            "{other_site}（{other_status}）少用平均{lost_kw}千瓦，而{subject}在相同时段比往常多用平均{step_kw}千瓦；最近一日{energy_kwh}千瓦时，往常平均{expected_kw}千瓦。{sure}",
        .back = "最近一日平均{mean_kw}千瓦，往常平均{expected_kw}千瓦。",
        .action = "核对该用户是否有新增业务或转供电，并查看两处现场",
    },
    {
        .rule = LW_RULE_DISPLACEMENT,
        .finding = LW_FOUND_DISPLACED,
        .zh = false,
        .event = "Unexplained consumption",
        .raised = "{subject} rose by about {step_kw} kW after {other_site} was stopped",
        .updated =
            "{subject} is still above its usual load after {other_site} was stopped",
        .returned = "{subject} draws its usual load again",
        .active =
            "{other_site} ({other_status}) lost {lost_kw} kW as a daily mean, and at the same hours {subject} drew {step_kw} kW more than usual: {energy_kwh} kWh in the last day, against a usual mean of {expected_kw} kW. {sure}",
        .back = "Mean of the last day {mean_kw} kW; usually {expected_kw} kW. ",
        .action =
            "check for new business or resale of power there, and look at both places",
    },
};

const struct sentences_of lw_words_feeder = {table, sizeof table / sizeof *table};

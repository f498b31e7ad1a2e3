/* Errors as RFC 9457 problem documents, in English and Chinese. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <lodewatch/codec.h>

#include "daemon/http/call.h"

/* None of these texts needs escaping in JSON: nothing of a request is repeated in them.
 */
static const struct {
    int status;
    const char *name;
    const char *en;
    const char *zh;
} problems[HTTP_PROBLEMS] = {
    [PROBLEM_QUERY] = {400, "query",
                       "A query parameter is unknown, given twice or not of its form; "
                       "/api/v1/openapi.json describes them.",
                       "查询参数未知、重复或格式不正确；参见 /api/v1/openapi.json。"},
    [PROBLEM_AFTER] =
        {400, "after",
         "What `after` or `gateway` names is not there any more; begin anew.",
         "after 或 gateway 所指的项目已不存在；请从头开始分页。"},
    [PROBLEM_TOKEN] = {401, "token", "A valid bearer token is needed.",
                       "需要有效的 Bearer 令牌。"},
    [PROBLEM_CLOSED] = {403, "closed",
                        "The API is closed: no [http] token_file is configured.",
                        "接口未开放：未配置 [http] token_file。"},
    [PROBLEM_NOT_FOUND] = {404, "not-found", "There is nothing at this path.",
                           "该路径不存在。"},
    [PROBLEM_METHOD] = {405, "method",
                        "The method is not served here; `Allow` says which are.",
                        "此处不支持该方法；参见 Allow 头。"},
    [PROBLEM_ACT] =
        {400, "act",
         "The act is not of its form: `where`, `what` and `expected` say why.",
         "操作格式不正确：参见 where、what、expected_zh。"},
    [PROBLEM_ALARM] = {404, "alarm", "No alarm with this id stands.",
                       "没有该编号的当前报警。"},
    [PROBLEM_STATE] = {409, "state",
                       "The alarm's state does not allow this: it is acknowledged or "
                       "shelved already, or not shelved.",
                       "报警的当前状态不允许该操作：已确认、已搁置，或并未搁置。"},
    [PROBLEM_INTERNAL] = {500, "internal", "The daemon could not make this answer.",
                          "守护进程无法生成该答复。"},
    [PROBLEM_JOURNAL] = {503, "journal",
                         "The journal takes nothing at present; nothing was done.",
                         "日志暂时无法写入；操作未执行。"},
    [PROBLEM_DATABASE] = {503, "database",
                          "History needs PostgreSQL, which is away; what stands now is "
                          "still answered.",
                          "历史数据需要 PostgreSQL，目前不可用；当前状态仍可查询。"},
    [PROBLEM_POLLING] = {503, "polling",
                         "Nothing is polled: the daemon stops, or could not start it.",
                         "目前没有采集：守护进程正在停止，或未能启动采集。"},
};

/* `fault` NULL: it has no more to say. */
static void
reply(struct http *http, struct evhttp_request *req, enum http_problem problem,
      const struct lw_act_fault *fault)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *body = evbuffer_new();
    int status = problems[problem].status;

    if (body != NULL) {
        evbuffer_add_printf(body,
                            "{\"type\":\"urn:lodewatch:problem:%s\",\"status\":%d,"
                            "\"title\":\"%s\",\"title_zh\":\"%s\"",
                            problems[problem].name, status, problems[problem].en,
                            problems[problem].zh);
        if (fault != NULL)
            evbuffer_add_printf(body,
                                ",\"where\":\"%s\",\"what\":\"%s\",\"expected\":\"%s\","
                                "\"expected_zh\":\"%s\"",
                                fault->where, fault->what, fault->expected,
                                fault->expected_zh);
        evbuffer_add(body, "}\n", 2);
    }
    if (status == 401)
        evhttp_add_header(headers, "WWW-Authenticate", "Bearer realm=\"lodewatch\"");
    else if (status == 503)
        evhttp_add_header(headers, "Retry-After", "5");
    http_reply(http, req, status, "application/problem+json", body);
}

void
http_reply_problem(struct http *http, struct evhttp_request *req,
                   enum http_problem problem)
{
    reply(http, req, problem, NULL);
}

void
http_reply_fault(struct http *http, struct evhttp_request *req,
                 const struct lw_act_fault *fault)
{
    reply(http, req, PROBLEM_ACT, fault);
}

/* Which version of each domain's operators a model or function uses. */
#include <string.h>

#include "builder.h"
#include "fail.h"

/* The newest ones known: onnx 1.20 and its development branch. Within NEWER_READ of them we read on. */
enum { NEWEST_OPSET = 28, NEWER_READ = 4 };

const char *adept_build_domain(const char *domain) {
    return !domain || strcmp(domain, "ai.onnx") == 0 ? "" : domain;
}

static adept_status check_version(builder *b, const char *domain, int64_t version) {
    if (version < 0 || version > INT32_MAX)
        return adept_fail(b->err, ADEPT_FORMAT, "imports version %lld of domain '%s'", (long long)version,
                          domain);
    if (domain[0] || version <= NEWEST_OPSET)
        return ADEPT_OK;
    if (version > NEWEST_OPSET + NEWER_READ)
        return adept_fail(b->err, ADEPT_UNSUPPORTED,
                          "needs opset %lld, ADEPT knows up to %d; export with an older opset",
                          (long long)version, NEWEST_OPSET);
    return adept_builder_warn(b, "opset %lld is newer than ADEPT knows (%d); changed operators are misread",
                              (long long)version, NEWEST_OPSET);
}

adept_status adept_build_opsets(builder *b, opset_table *table, const pb_opset_import *const *imports,
                                size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *domain = adept_build_domain(imports[i]->domain);
        adept_status status = check_version(b, domain, imports[i]->version);
        if (status != ADEPT_OK)
            return status;
        int32_t version = imports[i]->version > 0 ? (int32_t)imports[i]->version : 1;
        if (adept_string_map_get(&table->versions, domain, 0) >= version)
            continue; /* "" and "ai.onnx" may both be there */
        if (!adept_string_map_put(&table->versions, domain, version))
            return adept_fail_memory(b->err);
        if (!domain[0])
            table->default_version = version;
    }
    return ADEPT_OK;
}

int32_t adept_build_opset_version(const opset_table *table, const char *domain) {
    for (; table; table = table->parent) {
        int32_t version =
            domain[0] ? adept_string_map_get(&table->versions, domain, 0) : table->default_version;
        if (version)
            return version;
    }
    return 0;
}

/*
 * Resource: who is speaking. A list of attributes that goes out once with every batch of spans and
 * logs, and stands in the metrics as `target_info`.
 *
 * How it works: later sources do not overwrite earlier ones, so the order of the calls is the order
 * of precedence: OTEL_SERVICE_NAME, then OTEL_RESOURCE_ATTRIBUTES, then what the program says of
 * itself, then tel_resource_detect() (host, process, the Kubernetes downward API, telemetry.sdk.*,
 * and fallbacks for service.name and service.instance.id).
 *
 * Threads: built before it is shared, read-only afterwards.
 * Memory: keys and values are copied.
 * Source: OpenTelemetry specification, resource/sdk; semantic conventions 1.44, resource.
 */
#ifndef TELEMETRY_RESOURCE_H
#define TELEMETRY_RESOURCE_H

#include <stddef.h>

#include "telemetry/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TEL_RESOURCE_ATTRIBUTES_MAX 64 /* attributes of a resource */
/* Of one list: so that what the program and detection have to say still finds room. */
#define TEL_RESOURCE_LIST_MAX  (TEL_RESOURCE_ATTRIBUTES_MAX - 24)
#define TEL_RESOURCE_VALUE_MAX 1024 /* bytes of a value */

struct tel_resource; /* attributes in the order in which they were added */

/* One attribute, borrowed from its resource. */
struct tel_resource_attribute {
    const char *key;   /* as the semantic conventions write it: `service.name` */
    const char *value; /* UTF-8 */
};

/* An empty resource, or NULL with errno ENOMEM. */
struct tel_resource *tel_resource_create(void);
/* Frees it with its attributes. NULL is fine. */
void tel_resource_destroy(struct tel_resource *resource);

/* Adds an attribute unless its key is there already. Returns 0 (also when it was there), -ENOSPC at
 * TEL_RESOURCE_ATTRIBUTES_MAX, -EINVAL (empty key; key or value too long or not UTF-8), -ENOMEM. */
int tel_resource_add(struct tel_resource *resource, const char *key, const char *value);

/* Adds what an `OTEL_RESOURCE_ATTRIBUTES` value says (`k=v,k=v`, percent-decoded). All or nothing:
 * -EINVAL when any part cannot be decoded, -ENOSPC when it has more than TEL_RESOURCE_LIST_MAX new
 * keys or the resource no room for them, -ENOMEM. */
int tel_resource_add_list(struct tel_resource *resource, const char *list);

/* Adds what this process can find out about itself: telemetry.sdk.{name,language,version},
 * host.name, process.pid, process.executable.name, k8s.* from the usual downward-API variables
 * (K8S_NAMESPACE_NAME or POD_NAMESPACE, K8S_POD_NAME or POD_NAME, K8S_POD_UID or POD_UID,
 * K8S_NODE_NAME or NODE_NAME, K8S_CONTAINER_NAME, K8S_DEPLOYMENT_NAME), service.name
 * (`unknown_service:<executable>`) and service.instance.id (a random UUID). What is no usable value
 * is left out. Returns 0, -ENOSPC or -ENOMEM. */
int tel_resource_detect(struct tel_resource *resource);

/* How many attributes there are. */
size_t tel_resource_count(const struct tel_resource *resource);
/* Attribute `index`, in the order of adding; borrowed. */
struct tel_resource_attribute tel_resource_at(const struct tel_resource *resource, size_t index);
/* The value of `key`, borrowed, or NULL. */
const char *tel_resource_get(const struct tel_resource *resource, const char *key);

/* Adds `target_info` to a registry: the attributes as labels (dots become underscores), value 1.
 * The resource must outlive the registry. Returns 0 or a negative errno. */
int tel_resource_register(const struct tel_resource *resource, struct tel_registry *registry);

#ifdef __cplusplus
}
#endif

#endif

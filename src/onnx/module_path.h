/* Which module of the network a node came from, as far as its exporter wrote that down. */
#ifndef ADEPT_MODULE_PATH_H
#define ADEPT_MODULE_PATH_H

#include "arena.h"

/*
 * Module path such as "encoder.layer.3.attention.self"; "" if nothing tells; NULL when memory is short.
 * name_scopes  pkg.torch.onnx.name_scopes of PyTorch's newer exporter, NULL: absent
 * namespace    the older form of the same metadata, NULL: absent
 * node_name    the name as in the file: "/encoder/layer.3/attention/self/MatMul" of the TorchScript
 *              exporter, "model/layer/op" of Keras and TensorFlow; anything else tells nothing
 */
char *adept_module_path(adept_arena *arena, const char *name_scopes, const char *namespace,
                        const char *node_name);

#endif

#include "families.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const endings[] = {
    ".onnx",  "-train", "-ts", "-op13",  "-op23",   "-fp16",     "-bf16",     "-sdpa",      "-nohead",
    "-noopt", "-ort",   "-qa", "-squad", "-seqcls", "-pretrain", "-neusight", "-inference",
};

char *adept_model_name(char name[ADEPT_MODEL_NAME_SIZE], const char *graph) {
    const char *slash = strrchr(graph, '/');
    snprintf(name, ADEPT_MODEL_NAME_SIZE, "%s", slash ? slash + 1 : graph);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0];) {
        size_t length = strlen(name), end = strlen(endings[i]);
        bool ends = length > end && strcmp(name + length - end, endings[i]) == 0;
        if (ends)
            name[length - end] = '\0';
        i = ends ? 0 : i + 1; /* endings come in any order */
    }
    return name;
}

#define RESIDUAL "residual convolutional"
#define DEPTHWISE "depthwise convolutional"
#define CONVOLUTIONAL "other convolutional"
#define ENCODER "encoder transformer"
#define DECODER "decoder transformer"
#define VISION "vision transformer"
#define RECOMMENDATION "recommendation"
#define SPEECH "speech"

/* Beginning of the name, family; the longest beginning that fits decides. */
static const struct {
    const char *beginning, *family;
} families[] = {
    {"albert",          ENCODER       },
    {"alexnet",         CONVOLUTIONAL },
    {"bart",            ENCODER       },
    {"beit",            VISION        },
    {"bert",            ENCODER       },
    {"bloom",           DECODER       },
    {"clip",            VISION        },
    {"conformer",       SPEECH        },
    {"convnext",        DEPTHWISE     },
    {"deberta",         ENCODER       },
    {"deepspeech",      SPEECH        },
    {"deit",            VISION        },
    {"densenet",        CONVOLUTIONAL },
    {"distilbert",      ENCODER       },
    {"distilgpt",       DECODER       },
    {"dit",             VISION        },
    {"dlrm",            RECOMMENDATION},
    {"efficientformer", VISION        },
    {"efficientnet",    DEPTHWISE     },
    {"electra",         ENCODER       },
    {"falcon",          DECODER       },
    {"fastpitch",       SPEECH        },
    {"fcn-resnet",      RESIDUAL      },
    {"fnet",            ENCODER       },
    {"gemma",           DECODER       },
    {"googlenet",       CONVOLUTIONAL },
    {"gpt",             DECODER       },
    {"hifigan",         SPEECH        },
    {"inception",       CONVOLUTIONAL },
    {"jasper",          SPEECH        },
    {"llama",           DECODER       },
    {"longformer",      ENCODER       },
    {"lraspp",          DEPTHWISE     },
    {"maskrcnn",        RESIDUAL      },
    {"mistral",         DECODER       },
    {"mixtral",         DECODER       },
    {"mnasnet",         DEPTHWISE     },
    {"mobilenet",       DEPTHWISE     },
    {"mobilevit",       VISION        },
    {"ncf",             RECOMMENDATION},
    {"nnunet",          CONVOLUTIONAL },
    {"opt",             DECODER       },
    {"phi",             DECODER       },
    {"pythia",          DECODER       },
    {"quartznet",       SPEECH        },
    {"qwen",            DECODER       },
    {"resnet",          RESIDUAL      },
    {"resnext",         RESIDUAL      },
    {"retinanet",       RESIDUAL      },
    {"rnnt",            SPEECH        },
    {"roberta",         ENCODER       },
    {"se-resne",        RESIDUAL      },
    {"shufflenet",      DEPTHWISE     },
    {"squeezenet",      CONVOLUTIONAL },
    {"ssd300-resnet",   RESIDUAL      },
    {"ssd300-vgg",      CONVOLUTIONAL },
    {"swin",            VISION        },
    {"t5",              ENCODER       },
    {"tacotron",        SPEECH        },
    {"tinyllama",       DECODER       },
    {"transformer",     ENCODER       },
    {"unet",            CONVOLUTIONAL },
    {"vgg",             CONVOLUTIONAL },
    {"vit",             VISION        },
    {"wav2vec",         SPEECH        },
    {"waveglow",        SPEECH        },
    {"whisper",         SPEECH        },
    {"wide-deep",       RECOMMENDATION},
    {"wide-resnet",     RESIDUAL      },
    {"yolo",            CONVOLUTIONAL },
};

static const char *family_by_work(const adept_workload *workload) {
    bool depthwise = false;
    if (!(workload->forward.conv_flop > workload->forward.gemm_flop))
        return "other";
    for (size_t i = 0; i < workload->kernel_count; i++) {
        const adept_kernel *kernel = &workload->kernels[i];
        depthwise |= kernel->kind == ADEPT_KERNEL_CONV && kernel->conv.groups > 1 &&
                     kernel->conv.groups == kernel->conv.c_in;
    }
    return depthwise ? DEPTHWISE : CONVOLUTIONAL;
}

const char *adept_model_family(const char *model, const adept_workload *workload) {
    const char *family = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        size_t length = strlen(families[i].beginning);
        if (length > longest && strncmp(model, families[i].beginning, length) == 0) {
            longest = length;
            family = families[i].family;
        }
    }
    return family ? family : family_by_work(workload);
}

/*
 * Names of the attributes that operators have in any version of the standard. A name that is not among
 * them has no meaning: the file says something that no reader can follow.
 *
 * scripts/check/onnx_schema_coverage.py compares this table with the schemas of the onnx package.
 */
#include "attribute_names.h"

#include <string.h>

#define ONNX ""
#define ML "ai.onnx.ml"
#define PREVIEW "ai.onnx.preview"
#define TRAINING "ai.onnx.preview.training"

typedef struct operator_attributes {
    const char *domain, *op_type;
    const char *names; /* separated by blanks */
} operator_attributes;

/* Sorted by domain and operator (bytewise). */
/* clang-format off */
static const operator_attributes operators[] = {
    {ONNX, "Abs", "consumed_inputs"},
    {ONNX, "Acos", ""},
    {ONNX, "Acosh", ""},
    {ONNX, "Add", "axis broadcast consumed_inputs"},
    {ONNX, "AffineGrid", "align_corners"},
    {ONNX, "And", "axis broadcast"},
    {ONNX, "ArgMax", "axis keepdims select_last_index"},
    {ONNX, "ArgMin", "axis keepdims select_last_index"},
    {ONNX, "Asin", ""},
    {ONNX, "Asinh", ""},
    {ONNX, "Atan", ""},
    {ONNX, "Atanh", ""},
    {ONNX, "Attention",
     "is_causal kv_num_heads left_window_size q_num_heads qk_matmul_output_mode "
     "right_window_size scale softcap softmax_precision"},
    {ONNX, "AveragePool", "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides"},
    {ONNX, "BatchNormalization", "consumed_inputs epsilon is_test momentum spatial training_mode"},
    {ONNX, "Bernoulli", "dtype seed"},
    {ONNX, "BitCast", "to"},
    {ONNX, "BitShift", "direction"},
    {ONNX, "BitwiseAnd", ""},
    {ONNX, "BitwiseNot", ""},
    {ONNX, "BitwiseOr", ""},
    {ONNX, "BitwiseXor", ""},
    {ONNX, "BlackmanWindow", "output_datatype periodic"},
    {ONNX, "Cast", "round_mode saturate to"},
    {ONNX, "CastLike", "round_mode saturate"},
    {ONNX, "CausalConvWithState", "activation"},
    {ONNX, "Ceil", "consumed_inputs"},
    {ONNX, "Celu", "alpha"},
    {ONNX, "CenterCropPad", "axes"},
    {ONNX, "Clip", "consumed_inputs max min"},
    {ONNX, "Col2Im", "dilations pads strides"},
    {ONNX, "Compress", "axis"},
    {ONNX, "Concat", "axis"},
    {ONNX, "ConcatFromSequence", "axis new_axis"},
    {ONNX, "Constant",
     "sparse_value value value_float value_floats value_int value_ints value_string "
     "value_strings"},
    {ONNX, "ConstantOfShape", "value"},
    {ONNX, "Conv", "auto_pad dilations group kernel_shape pads strides"},
    {ONNX, "ConvInteger", "auto_pad dilations group kernel_shape pads strides"},
    {ONNX, "ConvTranspose", "auto_pad dilations group kernel_shape output_padding output_shape pads strides"},
    {ONNX, "Cos", ""},
    {ONNX, "Cosh", ""},
    {ONNX, "CumProd", "exclusive reverse"},
    {ONNX, "CumSum", "exclusive reverse"},
    {ONNX, "DFT", "axis inverse onesided"},
    {ONNX, "DeformConv", "dilations group kernel_shape offset_group pads strides"},
    {ONNX, "DepthToSpace", "blocksize mode"},
    {ONNX, "DequantizeLinear", "axis block_size output_dtype"},
    {ONNX, "Det", ""},
    {ONNX, "Div", "axis broadcast consumed_inputs"},
    {ONNX, "Dropout", "consumed_inputs is_test ratio seed"},
    {ONNX, "DynamicQuantizeLinear", ""},
    {ONNX, "Einsum", "equation"},
    {ONNX, "Elu", "alpha consumed_inputs"},
    {ONNX, "Equal", "axis broadcast"},
    {ONNX, "Erf", ""},
    {ONNX, "Exp", "consumed_inputs"},
    {ONNX, "Expand", ""},
    {ONNX, "EyeLike", "dtype k"},
    {ONNX, "Flatten", "axis"},
    {ONNX, "Floor", "consumed_inputs"},
    {ONNX, "GRU",
     "activation_alpha activation_beta activations clip direction hidden_size layout "
     "linear_before_reset output_sequence"},
    {ONNX, "Gather", "axis"},
    {ONNX, "GatherElements", "axis"},
    {ONNX, "GatherND", "batch_dims"},
    {ONNX, "Gelu", "approximate"},
    {ONNX, "Gemm", "alpha beta broadcast transA transB"},
    {ONNX, "GlobalAveragePool", ""},
    {ONNX, "GlobalLpPool", "p"},
    {ONNX, "GlobalMaxPool", ""},
    {ONNX, "Greater", "axis broadcast"},
    {ONNX, "GreaterOrEqual", ""},
    {ONNX, "GridSample", "align_corners mode padding_mode"},
    {ONNX, "GroupNormalization", "epsilon num_groups stash_type"},
    {ONNX, "HammingWindow", "output_datatype periodic"},
    {ONNX, "HannWindow", "output_datatype periodic"},
    {ONNX, "HardSigmoid", "alpha beta consumed_inputs"},
    {ONNX, "HardSwish", ""},
    {ONNX, "Hardmax", "axis"},
    {ONNX, "Identity", ""},
    {ONNX, "If", "else_branch then_branch"},
    {ONNX, "ImageDecoder", "pixel_format"},
    {ONNX, "InstanceNormalization", "consumed_inputs epsilon"},
    {ONNX, "IsInf", "detect_negative detect_positive"},
    {ONNX, "IsNaN", ""},
    {ONNX, "LRN", "alpha beta bias size"},
    {ONNX, "LSTM",
     "activation_alpha activation_beta activations clip direction hidden_size "
     "input_forget layout output_sequence"},
    {ONNX, "LayerNormalization", "axis epsilon stash_type"},
    {ONNX, "LeakyRelu", "alpha consumed_inputs"},
    {ONNX, "Less", "axis broadcast"},
    {ONNX, "LessOrEqual", ""},
    {ONNX, "LinearAttention", "chunk_size kv_num_heads q_num_heads scale update_rule"},
    {ONNX, "Log", "consumed_inputs"},
    {ONNX, "LogSoftmax", "axis"},
    {ONNX, "Loop", "body"},
    {ONNX, "LpNormalization", "axis p"},
    {ONNX, "LpPool", "auto_pad ceil_mode dilations kernel_shape p pads strides"},
    {ONNX, "MatMul", ""},
    {ONNX, "MatMulInteger", ""},
    {ONNX, "Max", "consumed_inputs"},
    {ONNX, "MaxPool", "auto_pad ceil_mode dilations kernel_shape pads storage_order strides"},
    {ONNX, "MaxRoiPool", "pooled_shape spatial_scale"},
    {ONNX, "MaxUnpool", "kernel_shape pads strides"},
    {ONNX, "Mean", "consumed_inputs"},
    {ONNX, "MeanVarianceNormalization", "axes"},
    {ONNX, "MelWeightMatrix", "output_datatype"},
    {ONNX, "Min", "consumed_inputs"},
    {ONNX, "Mish", ""},
    {ONNX, "Mod", "fmod"},
    {ONNX, "Mul", "axis broadcast consumed_inputs"},
    {ONNX, "Multinomial", "dtype sample_size seed"},
    {ONNX, "Neg", "consumed_inputs"},
    {ONNX, "NegativeLogLikelihoodLoss", "ignore_index reduction"},
    {ONNX, "NonMaxSuppression", "center_point_box"},
    {ONNX, "NonZero", ""},
    {ONNX, "Not", ""},
    {ONNX, "OneHot", "axis"},
    {ONNX, "Optional", "type"},
    {ONNX, "OptionalGetElement", ""},
    {ONNX, "OptionalHasElement", ""},
    {ONNX, "Or", "axis broadcast"},
    {ONNX, "PRelu", "consumed_inputs"},
    {ONNX, "Pad", "mode paddings pads value"},
    {ONNX, "Pow", "axis broadcast"},
    {ONNX, "QLinearConv", "auto_pad dilations group kernel_shape pads strides"},
    {ONNX, "QLinearMatMul", ""},
    {ONNX, "QuantizeLinear", "axis block_size output_dtype precision saturate"},
    {ONNX, "RMSNormalization", "axis epsilon stash_type"},
    {ONNX, "RNN",
     "activation_alpha activation_beta activations clip direction hidden_size layout "
     "output_sequence"},
    {ONNX, "RandomNormal", "dtype mean scale seed shape"},
    {ONNX, "RandomNormalLike", "dtype mean scale seed"},
    {ONNX, "RandomUniform", "dtype high low seed shape"},
    {ONNX, "RandomUniformLike", "dtype high low seed"},
    {ONNX, "Range", "stash_type"},
    {ONNX, "Reciprocal", "consumed_inputs"},
    {ONNX, "ReduceL1", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceL2", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceLogSum", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceLogSumExp", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceMax", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceMean", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceMin", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceProd", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceSum", "axes keepdims noop_with_empty_axes"},
    {ONNX, "ReduceSumSquare", "axes keepdims noop_with_empty_axes"},
    {ONNX, "RegexFullMatch", "pattern"},
    {ONNX, "Relu", "consumed_inputs"},
    {ONNX, "Reshape", "allowzero consumed_inputs shape"},
    {ONNX, "Resize",
     "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside "
     "extrapolation_value keep_aspect_ratio_policy mode nearest_mode"},
    {ONNX, "ReverseSequence", "batch_axis time_axis"},
    {ONNX, "RoiAlign",
     "coordinate_transformation_mode mode output_height output_width sampling_ratio "
     "spatial_scale"},
    {ONNX, "RotaryEmbedding", "interleaved num_heads rotary_embedding_dim"},
    {ONNX, "Round", ""},
    {ONNX, "STFT", "onesided"},
    {ONNX, "Scan",
     "body directions num_scan_inputs scan_input_axes scan_input_directions "
     "scan_output_axes scan_output_directions"},
    {ONNX, "Scatter", "axis"},
    {ONNX, "ScatterElements", "axis reduction"},
    {ONNX, "ScatterND", "reduction"},
    {ONNX, "Selu", "alpha consumed_inputs gamma"},
    {ONNX, "SequenceAt", ""},
    {ONNX, "SequenceConstruct", ""},
    {ONNX, "SequenceEmpty", "dtype"},
    {ONNX, "SequenceErase", ""},
    {ONNX, "SequenceInsert", ""},
    {ONNX, "SequenceLength", ""},
    {ONNX, "SequenceMap", "body"},
    {ONNX, "Shape", "end start"},
    {ONNX, "Shrink", "bias lambd"},
    {ONNX, "Sigmoid", "consumed_inputs"},
    {ONNX, "Sign", ""},
    {ONNX, "Sin", ""},
    {ONNX, "Sinh", ""},
    {ONNX, "Size", ""},
    {ONNX, "Slice", "axes ends starts"},
    {ONNX, "Softmax", "axis"},
    {ONNX, "SoftmaxCrossEntropyLoss", "ignore_index reduction"},
    {ONNX, "Softplus", ""},
    {ONNX, "Softsign", ""},
    {ONNX, "SpaceToDepth", "blocksize mode"},
    {ONNX, "Split", "axis num_outputs split"},
    {ONNX, "SplitToSequence", "axis keepdims"},
    {ONNX, "Sqrt", "consumed_inputs"},
    {ONNX, "Squeeze", "axes"},
    {ONNX, "StringConcat", ""},
    {ONNX, "StringNormalizer", "case_change_action is_case_sensitive locale stopwords"},
    {ONNX, "StringSplit", "delimiter maxsplit"},
    {ONNX, "Sub", "axis broadcast consumed_inputs"},
    {ONNX, "Sum", "consumed_inputs"},
    {ONNX, "SwiGLU", "alpha"},
    {ONNX, "Swish", "alpha"},
    {ONNX, "Tan", ""},
    {ONNX, "Tanh", "consumed_inputs"},
    {ONNX, "TensorScatter", "axis mode"},
    {ONNX, "TfIdfVectorizer",
     "max_gram_length max_skip_count min_gram_length mode ngram_counts ngram_indexes "
     "pool_int64s pool_strings weights"},
    {ONNX, "ThresholdedRelu", "alpha"},
    {ONNX, "Tile", ""},
    {ONNX, "TopK", "axis k largest sorted"},
    {ONNX, "Transpose", "perm"},
    {ONNX, "Trilu", "upper"},
    {ONNX, "Unique", "axis sorted"},
    {ONNX, "Unsqueeze", "axes"},
    {ONNX, "Upsample", "height_scale mode scales width_scale"},
    {ONNX, "Where", ""},
    {ONNX, "Xor", "axis broadcast"},
    {ML, "ArrayFeatureExtractor", ""},
    {ML, "Binarizer", "threshold"},
    {ML, "CastMap", "cast_to map_form max_map"},
    {ML, "CategoryMapper", "cats_int64s cats_strings default_int64 default_string"},
    {ML, "DictVectorizer", "int64_vocabulary string_vocabulary"},
    {ML, "FeatureVectorizer", "inputdimensions"},
    {ML, "Imputer",
     "imputed_value_floats imputed_value_int64s replaced_value_float "
     "replaced_value_int64"},
    {ML, "LabelEncoder",
     "classes_strings default_float default_int64 default_string default_tensor "
     "keys_floats keys_int64s keys_strings keys_tensor values_floats values_int64s "
     "values_strings values_tensor"},
    {ML, "LinearClassifier",
     "classlabels_ints classlabels_strings coefficients intercepts multi_class "
     "post_transform"},
    {ML, "LinearRegressor", "coefficients intercepts post_transform targets"},
    {ML, "Normalizer", "norm"},
    {ML, "OneHotEncoder", "cats_int64s cats_strings zeros"},
    {ML, "SVMClassifier",
     "classlabels_ints classlabels_strings coefficients kernel_params kernel_type "
     "post_transform prob_a prob_b rho support_vectors vectors_per_class"},
    {ML, "SVMRegressor",
     "coefficients kernel_params kernel_type n_supports one_class post_transform rho "
     "support_vectors"},
    {ML, "Scaler", "offset scale"},
    {ML, "TreeEnsemble",
     "aggregate_function leaf_targetids leaf_weights membership_values n_targets "
     "nodes_falseleafs nodes_falsenodeids nodes_featureids nodes_hitrates "
     "nodes_missing_value_tracks_true nodes_modes nodes_splits nodes_trueleafs "
     "nodes_truenodeids post_transform tree_roots"},
    {ML, "TreeEnsembleClassifier",
     "base_values base_values_as_tensor class_ids class_nodeids class_treeids "
     "class_weights class_weights_as_tensor classlabels_int64s classlabels_strings "
     "nodes_falsenodeids nodes_featureids nodes_hitrates nodes_hitrates_as_tensor "
     "nodes_missing_value_tracks_true nodes_modes nodes_nodeids nodes_treeids "
     "nodes_truenodeids nodes_values nodes_values_as_tensor post_transform"},
    {ML, "TreeEnsembleRegressor",
     "aggregate_function base_values base_values_as_tensor n_targets "
     "nodes_falsenodeids nodes_featureids nodes_hitrates nodes_hitrates_as_tensor "
     "nodes_missing_value_tracks_true nodes_modes nodes_nodeids nodes_treeids "
     "nodes_truenodeids nodes_values nodes_values_as_tensor post_transform target_ids "
     "target_nodeids target_treeids target_weights target_weights_as_tensor"},
    {ML, "ZipMap", "classlabels_int64s classlabels_strings"},
    {PREVIEW, "FlexAttention", "prob_mod scale score_mod softmax_precision"},
    {TRAINING, "Adagrad", "decay_factor epsilon norm_coefficient"},
    {TRAINING, "Adam", "alpha beta epsilon norm_coefficient norm_coefficient_post"},
    {TRAINING, "Gradient", "xs y zs"},
    {TRAINING, "Momentum", "alpha beta mode norm_coefficient"},
};
/* clang-format on */

static const operator_attributes *find_operator(const adept_node *node) {
    size_t low = 0, high = sizeof operators / sizeof operators[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(operators[middle].domain, node->domain);
        if (order == 0)
            order = strcmp(operators[middle].op_type, node->op_type);
        if (order == 0)
            return &operators[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool listed(const char *names, const char *name) {
    size_t length = strlen(name);
    for (const char *at = names; *at; at += *at == ' ') {
        size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word;
    }
    return false;
}

const char *adept_node_unknown_attribute(const adept_node *node) {
    const operator_attributes *known = find_operator(node);
    for (int32_t i = 0; known && i < node->attribute_count; i++)
        if (!listed(known->names, node->attributes[i].name))
            return node->attributes[i].name;
    return NULL;
}

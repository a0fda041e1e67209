/* Resampling and images. x [N, C, spatial..]. */
#include "infer_functions.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* --- Resize, Upsample --- */

/* What Resize is asked for, by its own numbering of axes. */
typedef struct resampling {
    int32_t count;
    int32_t *axes;
    const double *scales; /* [count], or NULL */
    const int64_t *sizes; /* [count], or NULL */
    const double *roi;    /* [2 count] starts and ends of a crop, or NULL */
    bool open;            /* computed data */
} resampling;

/* floor(size * scale) in single precision, as every runtime computes it. */
static adept_status scale_size(adept_infer *ctx, int64_t size, double scale, int64_t *out) {
    double scaled = (double)floorf((float)size * (float)scale);
    if (!(scaled >= 0) || scaled > 9e18)
        return adept_infer_fail(ctx, "a size of %" PRId64 " scaled by %g is no size", size, scale);
    *out = (int64_t)scaled;
    return ADEPT_OK;
}

/* The sizes shrink or grow together so that none is larger (smaller) than asked for. */
static adept_status keep_aspect(adept_infer *ctx, const resampling *r, bool not_larger, int64_t *dims) {
    double scale = not_larger ? INFINITY : 0;
    for (int32_t i = 0; i < r->count; i++) {
        double wanted = (double)r->sizes[i] / (double)dims[r->axes[i]];
        scale = not_larger ? fmin(scale, wanted) : fmax(scale, wanted);
    }
    for (int32_t i = 0; i < r->count; i++) {
        double size = floor(scale * (double)dims[r->axes[i]] + 0.5);
        if (!(size >= 0) || size > 9e18)
            return adept_infer_fail(ctx, "sizes cannot keep the aspect ratio of %s", dims_input_text(ctx, 0));
        dims[r->axes[i]] = (int64_t)size;
    }
    return ADEPT_OK;
}

static adept_status apply_resampling(adept_infer *ctx, const resampling *r, int64_t *dims) {
    const char *policy = adept_infer_string(ctx, "keep_aspect_ratio_policy", "stretch");
    if (r->sizes && strcmp(policy, "stretch") != 0)
        return keep_aspect(ctx, r, strcmp(policy, "not_larger") == 0, dims);
    for (int32_t i = 0; i < r->count; i++) {
        int64_t *dim = &dims[r->axes[i]];
        if (r->sizes) {
            if (r->sizes[i] < 0)
                return adept_infer_fail(ctx, "size %d is %" PRId64, (int)i, r->sizes[i]);
            *dim = r->sizes[i];
        } else {
            double crop = r->roi ? r->roi[i + r->count] - r->roi[i] : 1;
            INFER_TRY(scale_size(ctx, *dim, r->scales[i] * crop, dim));
        }
    }
    return ADEPT_OK;
}

static adept_status resample(adept_infer *ctx, const resampling *r) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    if (!r->open) {
        INFER_TRY(apply_resampling(ctx, r, dims));
        return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
    }
    for (int32_t i = 0; i < r->count; i++)
        if (r->axes[i] > 1 || r->count != x->rank) /* batch and channels are not resized */
            dims[r->axes[i]] = dims_assume_axis(ctx, "dim", r->axes[i], dims[r->axes[i]], ADEPT_ASSUMED,
                                                "the scale is computed data");
    return dims_out(ctx, 0, x->dtype, x->rank, dims, ADEPT_ASSUMED);
}

/* Numbers of an optional input: an empty list counts as left out. false: given but not known. */
static bool read_scales(adept_infer *ctx, int32_t input, int64_t *count, const double **out) {
    *out = NULL;
    *count = 0;
    if (!adept_infer_in(ctx, input) || fold_elements(adept_infer_in(ctx, input)) == 0)
        return true;
    *out = adept_infer_in_reals(ctx, input, count);
    return *out != NULL;
}

static bool read_sizes(adept_infer *ctx, int32_t input, int64_t *count, const int64_t **out) {
    *out = NULL;
    *count = 0;
    if (!adept_infer_in(ctx, input) || fold_elements(adept_infer_in(ctx, input)) == 0)
        return true;
    *out = adept_infer_in_ints(ctx, input, count);
    return *out != NULL;
}

/* Inputs: opset 10 x, scales; since 11 x, roi, scales, sizes. */
static adept_status read_resize(adept_infer *ctx, int32_t rank, resampling *r) {
    bool old = adept_infer_opset(ctx) < 11;
    const char *mode = adept_infer_string(ctx, "coordinate_transformation_mode", "half_pixel");
    int64_t scale_count, size_count = 0, roi_count = 0;
    r->open = !read_scales(ctx, old ? 1 : 2, &scale_count, &r->scales);
    if (!old)
        r->open = !read_sizes(ctx, 3, &size_count, &r->sizes) || r->open;
    if (!old && !r->open && strcmp(mode, "tf_crop_and_resize") == 0 && r->scales)
        r->open = !read_scales(ctx, 1, &roi_count, &r->roi);
    if (r->open)
        return ADEPT_OK;
    if (!r->scales == !r->sizes)
        return adept_infer_fail(ctx, "exactly one of scales and sizes must be given");
    if (r->scales && scale_count != r->count)
        return adept_infer_fail(ctx, "%" PRId64 " scales for %d axes", scale_count, (int)r->count);
    if (r->sizes && size_count != r->count)
        return adept_infer_fail(ctx, "%" PRId64 " sizes for %d axes of an input of %d dimensions", size_count,
                                (int)r->count, (int)rank);
    if (r->roi && roi_count != 2 * (int64_t)r->count)
        r->roi = NULL;
    return ADEPT_OK;
}

/* Lists all axes, or those of the attribute (opset 18). */
static adept_status resampled_axes(adept_infer *ctx, int32_t rank, resampling *r) {
    int32_t listed;
    const int64_t *axes = adept_infer_ints(ctx, "axes", &listed);
    int64_t *all = dims_new(ctx, rank);
    if (!all)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < rank; i++)
        all[i] = i;
    r->count = axes ? listed : rank;
    return dims_axes(ctx, rank, axes ? axes : all, r->count, &r->axes);
}

adept_status infer_resize(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    resampling r = {.open = false};
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(resampled_axes(ctx, x->rank, &r));
    INFER_TRY(read_resize(ctx, x->rank, &r));
    return resample(ctx, &r);
}

/* scales: height_scale, width_scale (opset 1), attribute `scales` (7), second input (9). */
adept_status infer_upsample(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    double hw[4] = {1, 1, adept_infer_float(ctx, "height_scale", 1),
                    adept_infer_float(ctx, "width_scale", 1)};
    int32_t listed = 4;
    int64_t count;
    resampling r = {.scales = hw};
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(resampled_axes(ctx, x->rank, &r));
    if (adept_infer_in(ctx, 1))
        r.open = !read_scales(ctx, 1, &count, &r.scales);
    else if (adept_infer_has(ctx, "scales"))
        count = 0, r.scales = adept_infer_floats(ctx, "scales", &listed), count = listed;
    else
        count = listed;
    if (!r.open && (!r.scales || count != x->rank))
        return adept_infer_fail(ctx, "%" PRId64 " scales for %d axes", count, (int)x->rank);
    return resample(ctx, &r);
}

/* --- grids --- */

/* x [N, C, in..], grid [N, out.., r] to [N, C, out..] */
adept_status infer_grid_sample(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *grid = adept_infer_in(ctx, 1);
    if (x->rank < 0 || grid->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank < 3 || grid->rank != x->rank)
        return adept_infer_fail(ctx,
                                "input %s and grid %s must have the same number of dimensions, at least 3",
                                dims_input_text(ctx, 0), dims_input_text(ctx, 1));
    if (grid->dims[grid->rank - 1] != x->rank - 2 && dims_exact(ctx))
        return adept_infer_fail(ctx, "the grid has %" PRId64 " coordinates, the input %d spatial axes",
                                grid->dims[grid->rank - 1], (int)(x->rank - 2));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims + 2, grid->dims + 1, x->rank - 2);
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

/* theta [N, 2, 3] and size [N, C, H, W] to [N, H, W, 2]; 3-D likewise. */
adept_status infer_affine_grid(adept_infer *ctx) {
    const adept_shape *theta = adept_infer_in(ctx, 0);
    int64_t count, dims[5];
    const int64_t *size = adept_infer_in_ints(ctx, 1, &count);
    if (!size)
        return adept_infer_out_unknown(ctx, 0, theta->dtype);
    if (count != 4 && count != 5)
        return adept_infer_fail(ctx, "%" PRId64 " sizes, expected 4 ([N, C, H, W]) or 5", count);
    dims[0] = size[0];
    dims_put(dims + 1, size + 2, (int32_t)count - 2);
    dims[count - 1] = count - 2;
    return adept_infer_out(ctx, 0, theta->dtype, (int32_t)count, dims);
}

/* [N, C * block, L] to [N, C, image..] */
adept_status infer_col2im(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t image_count, block_count, block;
    const int64_t *image = adept_infer_in_ints(ctx, 1, &image_count);
    const int64_t *kernel = adept_infer_in_ints(ctx, 2, &block_count);
    INFER_TRY(dims_want_rank(ctx, 0, 3, "[N, C * block, L]"));
    if (x->rank < 0 || !image || !kernel || image_count > INT16_MAX)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (image_count != block_count)
        return adept_infer_fail(ctx, "an image of %" PRId64 " axes from blocks of %" PRId64, image_count,
                                block_count);
    INFER_TRY(dims_product(ctx, kernel, 0, (int32_t)block_count, &block));
    if (block < 1 || (x->dims[1] % block && dims_exact(ctx)))
        return adept_infer_fail(ctx, "%" PRId64 " rows are not divisible by a block of %" PRId64, x->dims[1],
                                block);
    int64_t *dims = dims_new(ctx, (int32_t)image_count + 2);
    if (!dims)
        return dims_no_memory(ctx);
    dims[0] = x->dims[0];
    dims[1] = x->dims[1] / block;
    dims_put(dims + 2, image, (int32_t)image_count);
    return adept_infer_out(ctx, 0, x->dtype, (int32_t)image_count + 2, dims);
}

/* Bytes of a file to [H, W, channels]: only the file knows the size. */
adept_status infer_image_decoder(adept_infer *ctx) {
    enum { ASSUMED_SIDE = 224 };
    bool gray = strcmp(adept_infer_string(ctx, "pixel_format", "RGB"), "Grayscale") == 0;
    int64_t dims[3] = {0, 0, gray ? 1 : 3};
    dims[0] = dims_assume(ctx, "height", ASSUMED_SIDE, "the size stands in the encoded image");
    dims[1] = dims_assume(ctx, "width", ASSUMED_SIDE, "the size stands in the encoded image");
    return dims_out(ctx, 0, ADEPT_DTYPE_UINT8, 3, dims, ADEPT_ASSUMED);
}

/** The operations that must exist, by PyTorch's names, whatever they are called here. */
export const catalogue: readonly string[] = `
  abs acos acosh adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool2d add addcdiv addcmul addmm all amax amin any argmax
  argmin argsort asin asinh atan atan2 atanh avg_pool1d avg_pool2d baddbmm batch_norm bilinear bincount bmm broadcast_to cat ceil
  celu chunk clamp conv1d conv2d conv3d conv_transpose1d conv_transpose2d copysign cos cosh cosine_similarity count_nonzero cummax
  cummin cumprod cumsum deg2rad diag diagonal digamma div dot einsum elu embedding eq erf erfc erfinv exp exp2 expand expm1 flatten
  flip floor fmod fold frac gather ge gelu glu group_norm gru_cell gt hardshrink hardsigmoid hardswish hardtanh hypot x[...]
  index_add index_put index_select instance_norm interpolate isfinite isinf isnan kron kthvalue layer_norm le leaky_relu lerp lgamma
  linalg.cholesky linalg.det linalg.inv linalg.solve triangular_solve linalg.qr linalg.eigh linalg.svd linalg.slogdet linear
  local_response_norm log log10 log1p log2 log_softmax logaddexp logcumsumexp logit logsigmoid logsumexp lstm_cell lt masked_fill
  masked_select matmul max max_pool1d max_pool2d maximum mean median meshgrid min minimum mish mm movedim mul mv nan_to_num nansum
  narrow ne neg nonzero norm normalize one_hot outer pad pairwise_distance permute pixel_shuffle pow prelu prod quantile reciprocal
  relu relu6 remainder repeat repeat_interleave reshape rms_norm rnn_tanh_cell roll rot90 round rsqrt scaled_dot_product_attention
  scatter scatter_add scatter_reduce searchsorted select selu sigmoid sign silu sin sinc sinh softmax softmin softplus softshrink
  softsign sort split sqrt square squeeze stack std sub sum take take_along_dim tan tanh tanhshrink Tensor.unfold unfold threshold
  tile topk trace transpose tril triu trunc unbind unflatten unique unsqueeze var var_mean where xlogy
`
  .trim()
  .split(/\s+/);

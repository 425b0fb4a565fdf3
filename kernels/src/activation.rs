//! `Activation`: the function between the two linear maps of the MLP.

/// A function of one number, with the names of `transformers`' `ACT2FN`. Functions with weights of their own (`prelu`,
/// `xielu`) are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), the form GPT-2 was trained with.
    #[default]
    GeluNew,
    /// x Φ(x), with the normal distribution Φ: exact GELU.
    Gelu,
    /// Exact GELU, cut to -10..=10.
    Gelu10,
    /// x σ(1.702 x), with σ(x) = 1 / (1 + e⁻ˣ).
    QuickGelu,
    /// max(x, 0).
    Relu,
    /// max(x, 0)².
    Relu2,
    /// max(x, 0), at most 6.
    Relu6,
    /// x, or x / 100 below 0.
    LeakyRelu,
    /// x σ(x).
    Silu,
    /// σ(x).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// x tanh(ln(1 + eˣ)).
    Mish,
    /// x max(0, min(6, x + 3)) / 6.
    Hardswish,
    /// Φ((x - 1/√2) / 0.282095).
    Laplace,
    /// x.
    Linear,
}

/// Every name; the first of a function is the one written.
const NAMES: [(&str, Activation); 21] = [
    ("gelu_new", Activation::GeluNew),
    // The same function, computed by other programs or in another order.
    ("gelu_pytorch_tanh", Activation::GeluNew),
    ("gelu_python_tanh", Activation::GeluNew),
    ("gelu_fast", Activation::GeluNew),
    ("gelu_accurate", Activation::GeluNew),
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("gelu_10", Activation::Gelu10),
    ("quick_gelu", Activation::QuickGelu),
    ("relu", Activation::Relu),
    ("relu2", Activation::Relu2),
    ("relu6", Activation::Relu6),
    ("leaky_relu", Activation::LeakyRelu),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("mish", Activation::Mish),
    ("hardswish", Activation::Hardswish),
    ("laplace", Activation::Laplace),
    ("linear", Activation::Linear),
];

impl Activation {
    /// The mean of [`Activation::Laplace`]'s distribution.
    pub const LAPLACE_MEAN: f32 = std::f32::consts::FRAC_1_SQRT_2;
    /// Its standard deviation.
    pub const LAPLACE_DEVIATION: f32 = 0.282_095;

    /// The function with this name; `None` if it is not computed here.
    pub fn of_name(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, activation)| *activation)
    }

    /// Its first name.
    pub fn name(self) -> &'static str {
        let known = NAMES.iter().find(|(_, activation)| *activation == self);
        known.expect("every function has a name").0
    }
}

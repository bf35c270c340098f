//! The flavors, as the service's list of 2024 has them. Figures that no guide gives are absent.

/// One gibibyte, in bytes.
const GIB: i64 = 1 << 30;

/// The kind of a flavor's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// CPU cores.
    Cpu,
    /// GPUs, with their CPU cores, memory and storage.
    Gpu,
}

impl Kind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// The GPU of a flavor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gpu {
    /// Its vendor.
    pub brand: &'static str,
    /// Its model.
    pub model: &'static str,
    /// Its memory in bytes.
    pub memory: Option<i64>,
}

/// A flavor: the resources of one unit, and the maximum number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flavor {
    /// The id.
    pub id: &'static str,
    /// The kind of its unit.
    pub kind: Kind,
    /// For people.
    pub description: &'static str,
    /// Whether it is the default for its kind.
    pub default: bool,
    /// Maximum number of units of one app.
    pub max: u32,
    /// CPU cores of one unit.
    pub cpu: i64,
    /// Bytes of memory of one unit.
    pub memory: i64,
    /// Bytes of ephemeral storage of one unit.
    pub ephemeral_storage: Option<i64>,
    /// Bits a second of public network of one unit.
    pub public_network: Option<i64>,
    /// The GPU of one unit.
    pub gpu: Option<Gpu>,
}

const V100S: Gpu = Gpu { brand: "NVIDIA", model: "Tesla-V100S", memory: None };

const fn gpu(id: &'static str, description: &'static str, gpu: Gpu, cpu: i64, gib: i64) -> Flavor {
    Flavor {
        id,
        kind: Kind::Gpu,
        description,
        default: false,
        max: 4,
        cpu,
        memory: gib * GIB,
        ephemeral_storage: None,
        public_network: None,
        gpu: Some(gpu),
    }
}

const fn nvidia(model: &'static str) -> Gpu {
    Gpu { brand: "NVIDIA", model, memory: None }
}

/// All flavors, by id.
pub const FLAVORS: [Flavor; 7] = [
    Flavor { max: 2, ..gpu("a100-1-gpu", "NVIDIA Ampere A100", nvidia("Ampere-A100"), 13, 160) },
    Flavor {
        id: "ai1-1-cpu",
        kind: Kind::Cpu,
        description: "Intel CPU vCores",
        default: true,
        max: 12,
        cpu: 1,
        memory: 4 * GIB,
        ephemeral_storage: Some(40 * GIB),
        public_network: Some(500_000_000),
        gpu: None,
    },
    Flavor { default: true, ..gpu("ai1-1-gpu", "NVIDIA Tesla V100S", V100S, 13, 40) },
    gpu("ai1-le-1-gpu", "NVIDIA Tesla V100S", V100S, 13, 40),
    Flavor {
        ephemeral_storage: Some(3 * 1024 * GIB),
        public_network: Some(5_000_000_000),
        // 79.6 GiB.
        ..gpu(
            "h100-1-gpu",
            "NVIDIA H100",
            Gpu { memory: Some(796 * GIB / 10), ..nvidia("H100") },
            28,
            350,
        )
    },
    gpu("l4-1-gpu", "NVIDIA L4", nvidia("L4"), 20, 80),
    gpu("l40s-1-gpu", "NVIDIA L40s", nvidia("L40s"), 13, 80),
];

/// The flavor with this id.
pub fn flavor(id: &str) -> Option<&'static Flavor> {
    FLAVORS.iter().find(|flavor| flavor.id == id)
}

/// The default flavor of a kind.
pub fn default_flavor(kind: Kind) -> &'static Flavor {
    let fits = |flavor: &&Flavor| flavor.kind == kind && flavor.default;
    FLAVORS.iter().find(fits).unwrap_or(&FLAVORS[0])
}

/// An image that comes with the emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltinImage {
    /// Its reference, without a tag.
    pub reference: &'static str,
    /// What it does, for people.
    pub description: &'static str,
}

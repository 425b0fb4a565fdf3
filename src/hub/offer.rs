//! `Offer`: what a repository would cost in each type, and which to take where a device has little room.

use super::dtype::{Dtype, GgufType};
use super::footprint::{Footprint, Shape};
use super::listing::Listing;
use super::plan::{Plan, PlanError, Weights, choose};

/// What a browser can address for one program: 32 bits.
pub const MOST_MEMORY: u64 = 4 << 30;

/// What a device has, as far as the browser tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Memory of the whole device (`navigator.deviceMemory`), rounded and capped by the browser.
    pub device: Option<u64>,
    /// Bytes that the browser would still store for the page.
    pub storage: Option<u64>,
}

impl Room {
    /// Memory that one model may take: half of the device's is what a page can hope for.
    pub fn memory(self) -> u64 {
        self.device
            .map_or(MOST_MEMORY, |device| MOST_MEMORY.min(device / 2))
    }

    /// What a model that takes so much is too large for.
    pub fn lacks(self, keep: Option<u64>, memory: Option<u64>) -> Option<Lack> {
        if memory.is_some_and(|needed| needed > MOST_MEMORY) {
            Some(Lack::Address)
        } else if memory.is_some_and(|needed| needed > self.memory()) {
            Some(Lack::Memory)
        } else if let (Some(keep), Some(storage)) = (keep, self.storage)
            && keep > storage
        {
            Some(Lack::Storage)
        } else {
            None
        }
    }
}

/// What there is too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// More memory than any browser gives a program: it cannot work.
    Address,
    /// More memory than this device is likely to give a page.
    Memory,
    /// More than the browser stores for a page.
    Storage,
}

/// A repository in one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The type.
    pub dtype: Dtype,
    /// Bytes to fetch, where the endpoint tells sizes.
    pub fetch: Option<u64>,
    /// Bytes it takes on the device.
    pub keep: Option<u64>,
    /// Bytes of memory it needs while it is open.
    pub memory: Option<u64>,
    /// What it is too large for.
    pub lack: Option<Lack>,
}

/// A repository, before a byte of its weights is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// In the type that is wanted.
    pub wanted: Choice,
    /// In the types that it comes in or its floats can be quantized to, of [`Self::DTYPES`], the best first.
    pub choices: Vec<Choice>,
    /// Where the wanted one does not fit: the best of the smaller ones that does.
    pub instead: Option<Choice>,
    /// What it was measured against.
    pub room: Room,
}

impl Offer {
    /// Types on offer, the best first.
    pub const DTYPES: [Dtype; 4] = [Dtype::Q8_0, Dtype::Q6K, Dtype::Q4K, Dtype::Q4_0];

    /// Of a listing and, where there is one, its `config.json`; without that, memory is known of few files.
    ///
    /// # Errors
    /// As [`choose`].
    pub fn new(
        listing: &Listing,
        config_json: Option<&[u8]>,
        dtype: Dtype,
        room: Room,
    ) -> Result<Self, PlanError> {
        // A configuration that cannot be read is refused where it is needed.
        let shape = config_json.and_then(|json| Shape::from_json(json).ok());
        let choice = |dtype, plan: &Plan| choice_of(plan, shape.as_ref(), dtype, room);
        let wanted = choice(dtype, &choose(listing, dtype)?);
        let mut choices = Vec::new();
        for dtype in Self::DTYPES {
            let plan = choose(listing, dtype)?;
            // Where nothing else is there, the plan is a GGUF of another type than was asked for.
            let is_so = match &plan.weights {
                Weights::Gguf(file) => GgufType::from_file_name(&file.name)
                    .is_some_and(|stored| dtype.wanted().contains(&stored)),
                Weights::Safetensors(_) | Weights::Pytorch(_) => true,
            };
            if is_so {
                choices.push(choice(dtype, &plan));
            }
        }
        let is_smaller = |other: &&Choice| {
            other.lack.is_none()
                && other.memory.is_some()
                && other.keep.is_some_and(|keep| Some(keep) < wanted.keep)
        };
        let instead = match wanted.lack {
            Some(_) => choices.iter().find(is_smaller).copied(),
            None => None,
        };
        Ok(Self {
            wanted,
            choices,
            instead,
            room,
        })
    }
}

/// Memory that floats of this shape need in a type, if no browser has so much, and the best type that can do with less.
pub fn beyond_any_browser(config_json: &[u8], dtype: Dtype) -> Option<(u64, Option<Dtype>)> {
    let shape = Shape::from_json(config_json).ok()?;
    let memory = |dtype| shape.footprint(dtype).memory;
    let fits = |dtype: &Dtype| memory(*dtype) <= MOST_MEMORY;
    let instead = || Offer::DTYPES.into_iter().find(fits);
    (!fits(&dtype)).then(|| (memory(dtype), instead()))
}

fn choice_of(plan: &Plan, shape: Option<&Shape>, dtype: Dtype, room: Room) -> Choice {
    let footprint = match &plan.weights {
        Weights::Gguf(file) => file.size_bytes.and_then(|size| {
            let stored = GgufType::from_file_name(&file.name)?;
            let (computed, is_native) = stored.computed_as();
            Some(shape?.footprint_of_gguf(size, computed, is_native))
        }),
        Weights::Safetensors(_) | Weights::Pytorch(_) => shape.map(|shape| shape.footprint(dtype)),
    };
    let memory = footprint.map(|Footprint { memory, .. }| memory);
    let keep = match &plan.weights {
        Weights::Gguf(file) => file.size_bytes,
        _ => footprint.map(|Footprint { file, .. }| file),
    };
    Choice {
        dtype,
        fetch: plan.size_bytes(),
        keep,
        memory,
        lack: room.lacks(keep, memory),
    }
}

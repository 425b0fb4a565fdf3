//! `Offer`: a model's costs in each type, and the type to take on a device with little room.

use serde::{Deserialize, Serialize};

use super::dtype::{Dtype, GgufType};
use super::footprint::{Footprint, Shape};
use super::listing::Listing;
use super::plan::{Plan, PlanError, Weights, choose, choose_file};

/// Most memory of one WebAssembly program: 32-bit addresses.
pub const MAX_MEMORY_BYTES: u64 = 4 << 30;

/// The room on a device, as far as the browser tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Room {
    /// Memory of the whole device (`navigator.deviceMemory`), rounded and capped by the browser.
    pub device_memory_bytes: Option<u64>,
    /// Bytes that the browser would still store for the page.
    pub storage_bytes: Option<u64>,
}

impl Room {
    /// Memory that one model may take: half of the device's is a fair guess for a page.
    pub fn memory_bytes(self) -> u64 {
        self.device_memory_bytes
            .map_or(MAX_MEMORY_BYTES, |device| MAX_MEMORY_BYTES.min(device / 2))
    }

    /// The resource that a model of this size has too little of; `None` for unknown sizes.
    pub fn shortage(
        self,
        storage_bytes: Option<u64>,
        memory_bytes: Option<u64>,
    ) -> Option<Shortage> {
        if memory_bytes.is_some_and(|needed| needed > MAX_MEMORY_BYTES) {
            Some(Shortage::AddressSpace)
        } else if memory_bytes.is_some_and(|needed| needed > self.memory_bytes()) {
            Some(Shortage::Memory)
        } else if let (Some(needed), Some(free)) = (storage_bytes, self.storage_bytes)
            && needed > free
        {
            Some(Shortage::Storage)
        } else {
            None
        }
    }
}

/// A resource of which a device has too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// More memory than any browser gives a program: it cannot work.
    AddressSpace,
    /// More memory than this device is likely to give a page.
    Memory,
    /// More than the browser stores for a page.
    Storage,
}

/// A model in one type, with its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeOffer {
    /// The type.
    pub dtype: Dtype,
    /// Bytes to fetch, if the endpoint states sizes.
    pub download_bytes: Option<u64>,
    /// Bytes on the device.
    pub storage_bytes: Option<u64>,
    /// Bytes of memory while it is open.
    pub memory_bytes: Option<u64>,
    /// The resource of which the device has too little for this type.
    pub shortage: Option<Shortage>,
}

/// A model's costs in every type, before a byte of its weights is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The costs in the requested type.
    pub wanted: TypeOffer,
    /// The costs in each type of [`Self::DTYPES`] that the model comes in or that its floats can be quantized to, the
    /// best first.
    pub types: Vec<TypeOffer>,
    /// Where the wanted type does not fit: the best smaller type that does.
    pub fallback: Option<TypeOffer>,
    /// The room that the costs were compared with.
    pub room: Room,
}

impl Offer {
    /// Types on offer, the best first.
    pub const DTYPES: [Dtype; 4] = [Dtype::Q8_0, Dtype::Q6K, Dtype::Q4K, Dtype::Q4_0];

    /// The offer of a listing and, where there is one, its `config.json`, without which the memory of most files is
    /// unknown. `file`: the one GGUF that the address names.
    ///
    /// # Errors
    /// As [`choose`] and [`choose_file`].
    pub fn new(
        listing: &Listing,
        file: Option<&str>,
        config_json: Option<&[u8]>,
        dtype: Dtype,
        room: Room,
    ) -> Result<Self, PlanError> {
        // A damaged configuration is refused by the load, which needs it.
        let shape = config_json.and_then(|json| Shape::from_json(json).ok());
        let offer = |dtype, plan: &Plan| type_offer(plan, shape.as_ref(), dtype, room);
        let plan = |dtype| match file {
            Some(file) => choose_file(listing, file),
            None => choose(listing, dtype),
        };
        let wanted = offer(dtype, &plan(dtype)?);
        let mut types = Vec::new();
        for dtype in Self::DTYPES {
            let plan = plan(dtype)?;
            // Without an alternative, the plan is a GGUF of another type than the requested one.
            let is_of_type = match &plan.weights {
                Weights::Gguf(file) => GgufType::from_file_name(&file.name)
                    .is_some_and(|stored| dtype.wanted().contains(&stored)),
                Weights::Safetensors(_) | Weights::Pytorch(_) => true,
            };
            if is_of_type {
                types.push(offer(dtype, &plan));
            }
        }
        let fits = |other: &&TypeOffer| {
            other.shortage.is_none()
                && other.memory_bytes.is_some()
                && other
                    .storage_bytes
                    .is_some_and(|bytes| Some(bytes) < wanted.storage_bytes)
        };
        let fallback = match wanted.shortage {
            Some(_) => types.iter().find(fits).copied(),
            None => None,
        };
        Ok(Self {
            wanted,
            types,
            fallback,
            room,
        })
    }
}

/// The memory of a model with float weights of this shape, if it is more than [`MAX_MEMORY_BYTES`], and the best type
/// that needs less.
pub fn over_address_space(config_json: &[u8], dtype: Dtype) -> Option<(u64, Option<Dtype>)> {
    let shape = Shape::from_json(config_json).ok()?;
    let memory = |dtype| shape.footprint(dtype).memory;
    let fits = |dtype: &Dtype| memory(*dtype) <= MAX_MEMORY_BYTES;
    let smaller = || Offer::DTYPES.into_iter().find(fits);
    (!fits(&dtype)).then(|| (memory(dtype), smaller()))
}

fn type_offer(plan: &Plan, shape: Option<&Shape>, dtype: Dtype, room: Room) -> TypeOffer {
    let footprint = match &plan.weights {
        Weights::Gguf(file) => file.size_bytes.and_then(|size| {
            let stored = GgufType::from_file_name(&file.name)?;
            let (computed, is_native) = stored.computed_as();
            Some(shape?.footprint_of_gguf(size, computed, is_native))
        }),
        Weights::Safetensors(_) | Weights::Pytorch(_) => shape.map(|shape| shape.footprint(dtype)),
    };
    let memory_bytes = footprint.map(|Footprint { memory, .. }| memory);
    let storage_bytes = match &plan.weights {
        Weights::Gguf(file) => file.size_bytes,
        _ => footprint.map(|Footprint { file, .. }| file),
    };
    TypeOffer {
        dtype,
        download_bytes: plan.size_bytes(),
        storage_bytes,
        memory_bytes,
        shortage: room.shortage(storage_bytes, memory_bytes),
    }
}

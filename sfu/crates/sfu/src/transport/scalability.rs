//! Where a packet belongs among the layers that one stream carries, as far as its codec tells.

/// Where a packet belongs in a picture of several spatial layers, all of which one stream carries (SVC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpatialPart {
    /// The layer, the lowest one is 0.
    pub layer: u8,
    /// The first packet of a picture.
    pub begins_picture: bool,
    /// The last packet of the picture's layer.
    pub ends_layer: bool,
}

/// Where a packet belongs among temporal layers: who gets only the lower ones sees fewer frames per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemporalPart {
    /// The layer, the lowest one is 0; 0 too where there are none.
    pub layer: u8,
    /// The first packet of a picture.
    pub begins_picture: bool,
    /// From this picture on higher layers can be decoded.
    pub opening: Option<Opening>,
}

/// Who gets the layers up to `from` may get those up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The highest layer that is needed for it.
    pub from: u8,
    /// The highest layer that it opens.
    pub to: u8,
}

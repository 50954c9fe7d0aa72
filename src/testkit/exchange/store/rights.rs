//! What the signed-in user may do in a folder.

/// The effective rights in one folder, as EWS reports them in EffectiveRights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the element holds independent flags"
)]
pub struct FolderRights {
    /// May read items.
    pub read: bool,
    /// May put items into the folder.
    pub create_contents: bool,
    /// May create folders below.
    pub create_hierarchy: bool,
    /// May change items.
    pub modify: bool,
    /// May remove items, which a move out of the folder needs too.
    pub delete: bool,
}

impl FolderRights {
    /// All rights: what an owner has.
    pub const OWNER: Self = Self {
        read: true,
        create_contents: true,
        create_hierarchy: true,
        modify: true,
        delete: true,
    };
    /// Reading alone.
    pub const REVIEWER: Self = Self {
        read: true,
        ..Self::NONE
    };
    /// No right at all.
    pub const NONE: Self = Self {
        read: false,
        create_contents: false,
        create_hierarchy: false,
        modify: false,
        delete: false,
    };

    /// Sets the right to read items.
    #[must_use]
    pub fn with_read(mut self, allowed: bool) -> Self {
        self.read = allowed;
        self
    }

    /// Sets the right to put items into the folder.
    #[must_use]
    pub fn with_create_contents(mut self, allowed: bool) -> Self {
        self.create_contents = allowed;
        self
    }

    /// Sets the right to create folders below.
    #[must_use]
    pub fn with_create_hierarchy(mut self, allowed: bool) -> Self {
        self.create_hierarchy = allowed;
        self
    }

    /// Sets the right to change items.
    #[must_use]
    pub fn with_modify(mut self, allowed: bool) -> Self {
        self.modify = allowed;
        self
    }

    /// Sets the right to remove items.
    #[must_use]
    pub fn with_delete(mut self, allowed: bool) -> Self {
        self.delete = allowed;
        self
    }
}

impl Default for FolderRights {
    fn default() -> Self {
        Self::OWNER
    }
}

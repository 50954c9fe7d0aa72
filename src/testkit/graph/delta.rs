//! Changes of a folder since a token (Microsoft, "message: delta").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::Answer;
use super::ids::{changing_id, immutable_id};
use super::mailbox::{Desk, Outcome};
use super::messages::LIST;
use super::problem::Problem;
use super::query::{Allowed, Options};
use super::render::MessageView;
use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::store::item::ItemKey;

const DELTA: Allowed = Allowed {
    options: &[
        "$top",
        "$select",
        "$filter",
        "$orderby",
        "$expand",
        "$skiptoken",
        "$deltatoken",
    ],
    ..LIST
};

/// The tokens that were given out.
#[derive(Default)]
pub(super) struct DeltaTokens {
    states: Vec<State>,
    /// Tokens of lower numbers are gone.
    first: usize,
}

/// What a client knows who has a token.
#[derive(Clone)]
struct State {
    folder: FolderKey,
    known: Known,
    /// Changes that are still to be told, and what is known after them.
    open: Vec<Change>,
    /// Query options that stay through all rounds.
    query: Vec<(String, String)>,
}

/// Change keys by lineage, with the key of the item at that time.
type Known = BTreeMap<u64, (ItemKey, String)>;

#[derive(Clone)]
enum Change {
    Present(u64),
    Gone(u64, ItemKey),
}

impl DeltaTokens {
    /// Forgets all tokens: they are answered with 410 from now on.
    pub(super) fn forget(&mut self) {
        self.first = self.states.len();
    }

    fn add(&mut self, state: State) -> String {
        self.states.push(state);
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(format!("state {}", self.states.len() - 1))
    }

    fn state(&self, token: &str, folder: FolderKey) -> Result<State, Problem> {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let number = text.and_then(|text| text.strip_prefix("state ")?.parse::<usize>().ok());
        let state = number.and_then(|number| Some((number, self.states.get(number)?)));
        let state = state.filter(|(_, state)| state.folder == folder);
        match state {
            Some((number, _)) if number < self.first => Err(Problem::new(
                410,
                "SyncStateNotFound",
                "The sync state generation is not found; generate a new one by a full sync.",
            )),
            Some((_, state)) => Ok(state.clone()),
            None => Err(Problem::new(
                400,
                "InvalidDeltaToken",
                "The token is invalid.",
            )),
        }
    }
}

/// The next page of changes.
pub(super) fn answer(desk: &Desk<'_>, folder: &str, tokens: &mut DeltaTokens) -> Outcome {
    let options = Options::of(desk.request, &DELTA)?;
    let folder = desk.folder_with(folder, |rights| rights.read)?.key;
    let mut state = match (&options.skip_token, &options.delta_token) {
        (Some(token), None) => tokens.state(token, folder)?,
        (None, Some(token)) => next_round(desk, tokens.state(token, folder)?)?,
        (None, None) => next_round(desk, first_round(desk, folder))?,
        (Some(_), Some(_)) => return Err(Problem::bad_request("Two tokens are too many.")),
    };
    let page = desk.request.page_size().or(options.top);
    let page = page.unwrap_or_else(|| options.page()).min(state.open.len());
    let asked = original(desk, &state)?;
    let now: Vec<_> = state.open.drain(..page).collect();
    let value: Vec<_> = now
        .iter()
        .filter_map(|change| tell(desk, change, &asked))
        .collect();
    let more = !state.open.is_empty();
    let token = tokens.add(state);
    let (member, option) = if more {
        ("@odata.nextLink", "$skiptoken")
    } else {
        ("@odata.deltaLink", "$deltatoken")
    };
    let links = desk.links();
    let mut body = json!({
        "@odata.context": links.context("Collection(message)"),
        "value": value,
    });
    body[member] = json!(links.only(&[(option, &token)]));
    Ok(Answer::json(200, body))
}

fn first_round(desk: &Desk<'_>, folder: FolderKey) -> State {
    State {
        folder,
        known: Known::new(),
        open: Vec::new(),
        query: desk.request.query.clone(),
    }
}

/// Compares the folder with what is known.
fn next_round(desk: &Desk<'_>, mut state: State) -> Result<State, Problem> {
    let folder = desk.world.folder(state.folder);
    let folder = folder.ok_or_else(Problem::not_found)?;
    let items = desk.world.items_in(folder);
    let present: Known = items
        .map(|item| (item.lineage, (item.key, item.change_key.clone())))
        .collect();
    let gone = state
        .known
        .iter()
        .filter(|(one, _)| !present.contains_key(one));
    let gone = gone.map(|(one, (key, _))| Change::Gone(*one, *key));
    let changed = present
        .iter()
        .filter(|(one, facts)| state.known.get(one) != Some(facts))
        .map(|(one, _)| Change::Present(*one));
    state.open = changed.chain(gone).collect();
    state.known = present;
    Ok(state)
}

/// The options of the first request of a chain.
fn original(desk: &Desk<'_>, state: &State) -> Result<Options, Problem> {
    let mut request = desk.request.clone();
    request.query.clone_from(&state.query);
    Options::of(&request, &DELTA)
}

fn tell(desk: &Desk<'_>, change: &Change, options: &Options) -> Option<Value> {
    let immutable = desk.immutable();
    match change {
        Change::Gone(lineage, key) => {
            let id = if immutable {
                immutable_id(*lineage)
            } else {
                changing_id(*key)
            };
            Some(json!({"id": id, "@removed": {"reason": "deleted"}}))
        }
        Change::Present(lineage) => {
            let item = desk.world.item_by_lineage(*lineage)?;
            let folder = desk.world.folder(item.folder)?;
            let view = MessageView::new(item, folder, immutable);
            let fits = options.filter.as_ref();
            fits.is_none_or(|filter| filter.matches(&view))
                .then(|| view.json(options))
        }
    }
}

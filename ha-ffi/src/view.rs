//! What a person sees of the cluster.

use std::{collections::BTreeMap, ffi::c_char, sync::Arc};

use ha_core::{
    config::DatacenterConfig,
    config::ResourcesConfig,
    id::{NodeName, ServiceId},
    status::{ClusterView, LrmStatus, ManagerStatus, ViewInput},
};

use crate::{
    boundary::{self, Call, call},
    configuration::{Configuration, ha_configuration},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    lrm_status::{self, ha_lrm_status},
    manager_status::{self, ha_manager_status},
    text::ha_text,
};

/// What a view of the cluster is made from.
pub struct ha_view {
    _private: [u8; 0],
}

/// Behind a `ha_view`.
struct View {
    own_node: NodeName,
    quorate: bool,
    now: i64,
    manager: Arc<ManagerStatus>,
    lrms: BTreeMap<NodeName, Option<Arc<LrmStatus>>>,
    resources: Arc<ResourcesConfig>,
    datacenter: Arc<DatacenterConfig>,
    locations: Option<BTreeMap<ServiceId, NodeName>>,
}

impl Handle for View {
    const NAME: &'static str = "ha_view";
}

impl View {
    fn view(&self) -> ClusterView {
        let lrms = self.lrms.iter().map(|(node, record)| (node.clone(), record.as_deref())).collect();
        ClusterView::new(&ViewInput {
            own_node: &self.own_node,
            quorate: self.quorate,
            now: self.now,
            manager: &self.manager,
            lrms: &lrms,
            resources: &self.resources,
            locations: self.locations.as_ref(),
            scheduler: self.datacenter.scheduler.mode,
        })
    }
}

/// Begins a view.
///
/// own_node: the node on which a person looks. quorate: 1 if it is in the quorate partition. now: the wall clock, in
/// seconds since 1970. The configuration says which services there are, and the scheduler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_view_new(
    own_node: *const c_char,
    own_node_length: usize,
    quorate: i32,
    now: i64,
    manager: *const ha_manager_status,
    configuration: *const ha_configuration,
    view: *mut *mut ha_view,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let own_node = call.node(own_node, own_node_length)?;
        let manager = manager_status::read(manager)?.keep();
        let configuration = handles::read::<_, Configuration>(configuration)?;
        let (resources, datacenter) = (configuration.resources.clone(), configuration.datacenter.clone());
        let quorate = quorate == 1;
        let lrms = BTreeMap::new();
        call.new_handle(view, View { own_node, quorate, now, manager, lrms, resources, datacenter, locations: None })
    })
}

/// Frees a view. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_view_free(view: *mut ha_view) -> ha_status {
    boundary::free::<_, View>(view)
}

/// Adds a node to be shown, with the record of its LRM; NULL if it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_view_add_lrm(
    view: *mut ha_view,
    node: *const c_char,
    node_length: usize,
    lrm: *const ha_lrm_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let record = if lrm.is_null() { None } else { Some(lrm_status::read(lrm)?.keep()) };
        handles::take::<_, View>(view)?.lrms.insert(node, record);
        Call::done()
    })
}

/// Tells where a guest is. Once one is told, services without one are shown as "not found": tell all, or none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_view_add_location(
    view: *mut ha_view,
    sid: *const c_char,
    sid_length: usize,
    node: *const c_char,
    node_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (sid, node) = (call.sid(sid, sid_length)?, call.node(node, node_length)?);
        handles::take::<_, View>(view)?.locations.get_or_insert_default().insert(sid, node);
        Call::done()
    })
}

/// Says that the host can tell where guests are, though there may be none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_view_knows_locations(view: *mut ha_view, error: *mut *mut ha_error) -> ha_status {
    call!(error, |_call| {
        handles::take::<_, View>(view)?.locations.get_or_insert_default();
        Call::done()
    })
}

/// The view as data, in JSON: "quorum", "master", "fencing", "lrms", "services".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_view_json(
    view: *const ha_view,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let view = handles::read::<_, View>(view)?.view();
        call.own_text(json, serde_json::to_string(&view).map_err(Failure::content)?)
    })
}

/// The view as lines for a person, each with an end of line.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_view_lines(
    view: *const ha_view,
    lines: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let view = handles::read::<_, View>(view)?.view();
        call.own_text(lines, view.to_string())
    })
}

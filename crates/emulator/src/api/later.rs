//! Operations of the real API (its SDK 0.1a4) that are not emulated yet: they answer 501 with
//! their name.

use hyper::Method;

/// Method, path and operation.
const OPERATIONS: [(&str, &str, &str); 50] = [
    ("GET", "/v1/notebook/capabilities/editor", "get_v1_notebook_capabilities_editor"),
    ("GET", "/v1/notebook/capabilities/editor/{id}", "get_v1_notebook_capabilities_editor_id"),
    ("GET", "/v1/notebook/capabilities/framework", "get_v1_notebook_capabilities_framework"),
    (
        "GET",
        "/v1/notebook/capabilities/framework/{id}",
        "get_v1_notebook_capabilities_framework_id",
    ),
    ("DELETE", "/v1/framework/{id}", "delete_v1_framework_id"),
    ("GET", "/v1/framework/{id}", "get_v1_framework_id"),
    ("PATCH", "/v1/framework/{id}", "patch_v1_framework_id"),
    ("GET", "/v1/framework", "get_v1_framework"),
    ("POST", "/v1/framework", "post_v1_framework"),
    ("DELETE", "/v1/image/{imageId}", "delete_v1_image_image_id"),
    ("GET", "/v1/image/{imageId}", "get_v1_image_image_id"),
    ("PATCH", "/v1/image/{imageId}", "patch_v1_image_image_id"),
    ("DELETE", "/v1/image/{imageId}/version/{tag}", "delete_v1_image_image_id_version_tag"),
    ("GET", "/v1/image/{imageId}/version/{tag}", "get_v1_image_image_id_version_tag"),
    ("PATCH", "/v1/image/{imageId}/version/{tag}", "patch_v1_image_image_id_version_tag"),
    ("GET", "/v1/image", "get_v1_image"),
    ("POST", "/v1/image", "post_v1_image"),
    ("GET", "/v1/image/{imageId}/version", "get_v1_image_image_id_version"),
    ("POST", "/v1/image/{imageId}/version", "post_v1_image_image_id_version"),
    (
        "POST",
        "/v1/image/{imageId}/version/{tag}/mirror",
        "post_v1_image_image_id_version_tag_mirror",
    ),
    ("POST", "/v1/job/command", "job_cli_command"),
    ("POST", "/v1/job/{jobId}/datasync", "job_data_sync"),
    ("DELETE", "/v1/job/{id}", "job_delete"),
    ("PUT", "/v1/job/{id}", "job_edit"),
    ("GET", "/v1/job/{id}", "job_get"),
    ("PUT", "/v1/job/{id}/label", "job_edit_label"),
    ("GET", "/v1/job/{id}/exec", "job_exec"),
    ("GET", "/v1/job", "job_get_all"),
    ("POST", "/v1/job", "job_new"),
    ("PUT", "/v1/job/{id}/kill", "job_kill"),
    ("GET", "/v1/job/{id}/log", "job_log"),
    ("PUT", "/v1/job/{id}/start", "job_start"),
    ("POST", "/v1/notebook/command", "notebook_cli_command"),
    ("POST", "/v1/notebook/{id}/backup/{backupId}/fork", "notebook_create_from_backup"),
    ("POST", "/v1/notebook/{id}/datasync", "notebook_data_sync"),
    ("DELETE", "/v1/notebook/{id}", "notebook_delete"),
    ("PUT", "/v1/notebook/{id}", "notebook_edit"),
    ("GET", "/v1/notebook/{id}", "notebook_get"),
    ("PUT", "/v1/notebook/{id}/label", "notebook_edit_label"),
    ("GET", "/v1/notebook/{id}/exec", "notebook_exec"),
    ("GET", "/v1/notebook", "notebook_get_all"),
    ("POST", "/v1/notebook", "notebook_new"),
    ("GET", "/v1/notebook/{id}/backup/{backupId}", "notebook_get_backup"),
    ("GET", "/v1/notebook/{id}/backup", "notebook_list_backup"),
    ("PUT", "/v1/notebook/{id}/start", "notebook_start"),
    ("PUT", "/v1/notebook/{id}/stop", "notebook_stop"),
    ("DELETE", "/v1/volume/{id}", "delete_v1_volume_id"),
    ("GET", "/v1/volume/{id}", "get_v1_volume_id"),
    ("GET", "/v1/volume", "get_v1_volume"),
    ("POST", "/v1/volume", "post_v1_volume"),
];

/// The operation at this method and path.
pub(super) fn operation(method: &Method, path: &str) -> Option<&'static str> {
    let fits = |template: &str| {
        let (mut given, mut wanted) = (path.split('/'), template.split('/'));
        loop {
            match (given.next(), wanted.next()) {
                (None, None) => return true,
                (Some(given), Some(wanted)) => {
                    let any = wanted.starts_with('{') && !given.is_empty();
                    if !any && given != wanted {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    };
    // A name in a path wins over a placeholder.
    OPERATIONS
        .iter()
        .filter(|(m, template, _)| *m == method.as_str() && fits(template))
        .min_by_key(|(_, template, _)| template.matches('{').count())
        .map(|(_, _, id)| *id)
}

#include "api/admin/document.h"

#include "api/admin/routes.h"

namespace berth::api::admin {

Done get_document(AdminCall&) {
  const AdminDocument document = admin_document();
  AdminReply reply;
  reply.etag = "\"" + std::string(document.etag) + "\"";
  reply.cache_control = "public, no-cache";  // an upgrade changes it
  reply.body = document.json;
  co_return reply;
}

}  // namespace berth::api::admin

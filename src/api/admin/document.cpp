#include "api/admin/document.h"

#include "api/admin/routes.h"
#include "http/etag.h"

namespace berth::api::admin {

Done get_document(AdminCall& call) {
  const AdminDocument document = admin_document();
  AdminReply reply;
  reply.etag = "\"" + std::string(document.etag) + "\"";
  reply.cache_control = "public, no-cache";  // an upgrade changes it
  if (http::matches(call.request.if_none_match, document.etag, http::Comparison::weak)) {
    reply.status = 304;
  } else {
    reply.body = document.json;
  }
  co_return reply;
}

}  // namespace berth::api::admin

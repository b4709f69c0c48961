// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/command_priv.h"
#include "gwd/doctor.h"
#include "gwd/engine.h"
#include "gwd/request.h"

void command_doctor(struct engine *engine, const struct request *request, struct reply *reply)
{
	struct doctor_host host = {0};
	struct doctor doctor = {0};
	doctor_collect(&host, &doctor, engine);
	doctor_judge(&doctor, &host, engine_model(engine), engine_applied(engine), engine_facts(engine));
	if (request->json)
		doctor_json(&doctor, &reply->body);
	else
		doctor_text(&doctor, &reply->body);
	doctor_free(&doctor);
	doctor_host_free(&host);
}

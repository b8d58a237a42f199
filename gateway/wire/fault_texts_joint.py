"""What is said of each broken rule of joint cases (多地联办)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import Texts

JOINT: Final[Mapping[F, Texts]] = {
    F.AGREEMENT_ONWARD_REFUSED: Texts(
        "与申请地的协议不允许向该地转交申请内容",
        "The agreement with the place of application lets nothing be passed on to this region",
        "请不附申请内容，或先由双方在协议中写明可转交的地区。",
        "Ask without passing anything on, or have the agreement name the region first.",
    ),
    F.AGREEMENT_ONWARD_UNLISTED: Texts(
        "协议未列明可转交的表单字段或材料",
        "The agreement does not list the field or material as one that may be passed on",
        "请只转交协议 onward 所列的字段和材料。",
        "Pass on only fields and materials that the agreement lists under `onward`.",
    ),
    F.CASE_JOINT_UNASKED: Texts(
        "多地联办尚未请任何协办地核验",
        "No region has been asked in this joint case, or no task stands",
        "请先向协办地发出协办任务，收到同意后再准予。",
        "Ask the participating region first, and approve once it agrees.",
    ),
    F.CASE_JOINT_OPEN: Texts(
        "协办地尚未答复",
        "A participating region has not answered yet",
        "请等待答复；逾期后可以不予批准并写明未答复，或撤回该任务另行请办。沉默不视为同意。",
        "Wait. Past its due day refuse, naming the silence, or withdraw the task and ask anew;"
        " silence is never consent.",
    ),
    F.CASE_JOINT_DISAGREED: Texts(
        "协办地不同意",
        "A participating region disagrees",
        "请作出不予批准的决定，或撤回申请；协办地不同意时不得准予。",
        "Refuse the application: nothing is approved against a participating region's verdict.",
    ),
    F.CASE_JOINT_UNNAMED: Texts(
        "多地联办的决定未写明所依据的协办答复",
        "A decision in a joint case does not name the answers it rests on",
        "请由网关填写 joint：各协办地、答复摘要和意见；准予时须全部为同意。",
        "Let the gateway fill in `joint`: region, digest of the answer, verdict; all agree.",
    ),
    F.CASE_ALREADY_ANSWERED: Texts(
        "协办地已经答复",
        "The participating region has answered already",
        "撤回未生效，以协办地的答复为准。",
        "The withdrawal has no effect; the answer stands.",
    ),
}
"""Faults of joint tasks, and of what may be passed on in them."""

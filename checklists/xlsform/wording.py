"""The few words that a form needs besides the checklist's own; all but the English are drafts."""

from __future__ import annotations

from checklists.model import Text

_WORDS: dict[str, tuple[str, str, str, str, str, str]] = {
    # what: en, ms, id, vi, th, my
    "not-applicable": (
        "Does not apply here",
        "Tidak berkenaan di sini",
        "Tidak berlaku di sini",
        "Không áp dụng ở đây",
        "ไม่เกี่ยวข้องกับที่นี่",
        "ဤနေရာနှင့် မသက်ဆိုင်ပါ",
    ),
    "not-observed": (
        "Not looked at",
        "Tidak dilihat",
        "Tidak dilihat",
        "Chưa xem",
        "ไม่ได้ดู",
        "မကြည့်ခဲ့ပါ",
    ),
    "refused": ("Refused", "Ditolak", "Ditolak", "Bị từ chối", "ถูกปฏิเสธ", "ငြင်းဆိုခဲ့သည်"),
    "readings": (
        "Measured: give the readings",
        "Diukur: berikan bacaan",
        "Diukur: isikan hasil bacaan",
        "Đã đo: ghi các số đo",
        "วัดแล้ว: ใส่ค่าที่อ่านได้",
        "တိုင်းတာပြီး - ဖတ်ရသောတန်ဖိုးများ ထည့်ပါ",
    ),
    "yes": ("Yes", "Ya", "Ya", "Có", "ใช่", "ဟုတ်ကဲ့"),
    "no": ("No", "Tidak", "Tidak", "Không", "ไม่ใช่", "မဟုတ်ပါ"),
    "unsure": ("Unsure", "Tidak pasti", "Tidak yakin", "Không chắc", "ไม่แน่ใจ", "မသေချာပါ"),
    "reason": (
        "Why does this not apply here?",
        "Mengapa ini tidak berkenaan di sini?",
        "Mengapa ini tidak berlaku di sini?",
        "Vì sao không áp dụng ở đây?",
        "เหตุใดจึงไม่เกี่ยวข้องกับที่นี่",
        "ဤနေရာနှင့် အဘယ်ကြောင့် မသက်ဆိုင်သနည်း",
    ),
    "second": (
        "Second person who agrees that it does not apply",
        "Orang kedua yang bersetuju bahawa ini tidak berkenaan",
        "Orang kedua yang setuju bahwa ini tidak berlaku",
        "Người thứ hai đồng ý là không áp dụng",
        "บุคคลที่สองที่เห็นด้วยว่าไม่เกี่ยวข้อง",
        "မသက်ဆိုင်ကြောင်း သဘောတူသော ဒုတိယပုဂ္ဂိုလ်",
    ),
    "photo": ("Photo", "Foto", "Foto", "Ảnh", "ภาพถ่าย", "ဓာတ်ပုံ"),
    "document": ("Document", "Dokumen", "Dokumen", "Tài liệu", "เอกสาร", "စာရွက်စာတမ်း"),
    "sample": (
        "Sample: field sheet or report",
        "Sampel: helaian lapangan atau laporan",
        "Sampel: lembar lapangan atau laporan",
        "Mẫu: phiếu hiện trường hoặc báo cáo",
        "ตัวอย่าง: ใบบันทึกภาคสนามหรือรายงาน",
        "နမူနာ - ကွင်းဆင်းမှတ်တမ်း သို့မဟုတ် အစီရင်ခံစာ",
    ),
    "interview": (
        "Interview: notes",
        "Temu bual: catatan",
        "Wawancara: catatan",
        "Phỏng vấn: ghi chép",
        "การสัมภาษณ์: บันทึก",
        "တွေ့ဆုံမေးမြန်းမှု - မှတ်စု",
    ),
    "track": (
        "Track of the walk",
        "Jejak jalan kaki",
        "Jejak jalan kaki",
        "Vết đường đã đi",
        "เส้นทางที่เดิน",
        "လျှောက်ခဲ့သောလမ်းကြောင်း",
    ),
    "uncertainty": (
        "Its uncertainty (±)",
        "Ketakpastiannya (±)",
        "Ketidakpastiannya (±)",
        "Độ không đảm bảo (±)",
        "ค่าความไม่แน่นอน (±)",
        "မသေချာမှု (±)",
    ),
    "which": ("Which one?", "Yang mana?", "Yang mana?", "Cái nào?", "อันไหน", "ဘယ်တစ်ခုလဲ"),
    "at-least": (
        "At least {n}",
        "Sekurang-kurangnya {n}",
        "Sekurang-kurangnya {n}",
        "Ít nhất {n}",
        "อย่างน้อย {n}",
        "အနည်းဆုံး {n}",
    ),
    "in-range": (
        "Allowed: {n}",
        "Dibenarkan: {n}",
        "Diizinkan: {n}",
        "Cho phép: {n}",
        "ค่าที่ใส่ได้: {n}",
        "ခွင့်ပြု - {n}",
    ),
    "process": (
        "What the site does, as it has declared",
        "Apa yang dijalankan di tapak, seperti diisytiharkan",
        "Apa yang dilakukan di lokasi, seperti dinyatakan",
        "Hoạt động của cơ sở, theo khai báo",
        "สิ่งที่สถานที่นี้ทำ ตามที่แจ้งไว้",
        "ကြေညာထားသည့် လုပ်ငန်းများ",
    ),
    "exposure": (
        "High estimate of conflict exposure, 0 to 100",
        "Anggaran tinggi pendedahan konflik, 0 hingga 100",
        "Perkiraan tinggi keterpaparan konflik, 0 sampai 100",
        "Ước tính cao về mức phơi nhiễm xung đột, 0 đến 100",
        "ค่าประมาณสูงของความเสี่ยงจากความขัดแย้ง 0 ถึง 100",
        "ပဋိပက္ခထိတွေ့မှု အမြင့်ဆုံးခန့်မှန်းချက်၊ ၀ မှ ၁၀၀",
    ),
    "in-situ-leach": (
        "In-situ leaching",
        "Larut resap in-situ",
        "Pelindian in-situ",
        "Hòa tách tại chỗ",
        "การชะละลายในแหล่งแร่",
        "နေရာတွင် အရည်ဖျော်ထုတ်ယူခြင်း",
    ),
    "hard-rock": (
        "Hard-rock or placer mining",
        "Perlombongan batu keras atau plaser",
        "Penambangan batuan keras atau plaser",
        "Khai thác đá cứng hoặc sa khoáng",
        "เหมืองหินแข็งหรือแหล่งลานแร่",
        "ကျောက်မာ သို့မဟုတ် မြေနုသတ္တုတူးဖော်ခြင်း",
    ),
    "cracking": (
        "Cracking and leaching",
        "Peretakan dan larut lesap",
        "Perengkahan dan pelindian",
        "Phân hủy và hòa tách",
        "การย่อยและชะละลาย",
        "ခွဲဖြိုခြင်းနှင့် အရည်ဖျော်ခြင်း",
    ),
    "separation": ("Separation", "Pengasingan", "Pemisahan", "Tách chiết", "การแยก", "ခွဲထုတ်ခြင်း"),
    "residue-storage": (
        "Residue storage",
        "Penyimpanan sisa",
        "Penyimpanan residu",
        "Lưu giữ bã thải",
        "การเก็บกาก",
        "အကြွင်းအကျန် သိုလှောင်ခြင်း",
    ),
    "metal-making": (
        "Metal making",
        "Pembuatan logam",
        "Pembuatan logam",
        "Luyện kim loại",
        "การผลิตโลหะ",
        "သတ္တုထုတ်လုပ်ခြင်း",
    ),
    "magnet-making": (
        "Magnet making",
        "Pembuatan magnet",
        "Pembuatan magnet",
        "Chế tạo nam châm",
        "การผลิตแม่เหล็ก",
        "သံလိုက်ထုတ်လုပ်ခြင်း",
    ),
    "recycling": (
        "Recycling",
        "Kitar semula",
        "Daur ulang",
        "Tái chế",
        "การรีไซเคิล",
        "ပြန်လည်အသုံးပြုခြင်း",
    ),
    "logistics": ("Logistics", "Logistik", "Logistik", "Hậu cần", "โลจิสติกส์", "ကုန်စည်ပို့ဆောင်ရေး"),
}
_LANGUAGES = ("en", "ms", "id", "vi", "th", "my")


def word(what: str, n: str = "") -> Text:
    """One of the fixed texts, with `n` in its blank where it has one."""
    given = (text.replace("{n}", n) for text in _WORDS[what])
    return Text(dict(zip(_LANGUAGES, given, strict=True)))


def same(text: str) -> Text:
    """A text that is the same in every language that has words here: a unit, an id."""
    return Text(dict.fromkeys(_LANGUAGES, text))

"""Why a document is not taken: a code, and the words that a person reads."""

from __future__ import annotations

from app.errors import WangtingError

WORDS = {
    "empty_file": "文件是空的，请重新选择。",
    "too_big": "文件大小不能超过{limit}M，请压缩或拆分后重新上传。",
    "not_supported": "只能上传 PDF、JPG、PNG 格式的文件，这个文件的内容是{kind}。",
    "mixed_content": "文件中夹带了其他内容，不能上传，请重新扫描或拍照后上传。",
    "damaged": "文件已损坏或不完整，无法打开，请重新扫描或拍照后上传。",
    "picture_too_large": "图片尺寸太大（超过{limit}万像素），请缩小后重新上传。",
    "pdf_encrypted": "PDF 文件设置了密码，请取消密码后重新上传。",
    "pdf_active": "PDF 文件含有脚本、附件或可执行的动作，不能上传，请打印为普通 PDF 后重新上传。",
    "pdf_too_many_pages": "PDF 文件超过{limit}页，请拆分后上传。",
    "too_complex": "文件内容过于复杂，系统无法安全打开，请重新扫描后上传。",
    "infected": "安全检查发现文件含有恶意程序（{name}），已经删除，请检查电脑后重新上传。",
}


class DocumentRefused(WangtingError):
    """A document that is not taken; `code` is stable, the text says what is wrong and how to mend it."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(WORDS[code].format_map(params))
        self.code = code

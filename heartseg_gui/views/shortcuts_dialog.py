"""All keys and mouse moves on one page: to look up, to switch, to change."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from heartseg_gui.actions import native
from heartseg_gui.key_list import KeyLine, keys_text, list_keys
from heartseg_gui.keymaps import (
    Keymap,
    clash,
    holder_of,
    keymap_names,
    keymap_of,
    load_keymap,
    plain_text,
    read_keymap_file,
    rebound,
)
from heartseg_gui.settings import Settings

_SIZE = (660, 720)  # where the screen has room
_ACTION = Qt.ItemDataRole.UserRole
_NAME = Qt.ItemDataRole.UserRole + 1
_IDLE = "Choose a line, then press its new keys in the field."


class KeyChanger(QFrame):
    """Takes new keys for one action and says who has them already.

    Signals:
        keys_chosen: The action, and all keys that it shall have.
        default_wanted: The action that shall have the keymap's own keys again.
    """

    keys_chosen = Signal(str, tuple)
    default_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = ""
        self._keymap = load_keymap("")
        self._free = True  # whether nobody has what was pressed
        self.setProperty("role", "card")
        self._title, self.message = QLabel(), QLabel()
        self._notice = QFrame()
        self.recorder = QKeySequenceEdit()
        self.set_button, self.add_button = QPushButton(), QPushButton()
        self.none_button, self.default_button = QPushButton("No keys"), QPushButton("Default")
        self._lay_out()
        self.recorder.keySequenceChanged.connect(self._show_state)
        self.set_button.clicked.connect(self._set)
        self.add_button.clicked.connect(self._add_or_leave)
        self.none_button.clicked.connect(self._set_none)
        self.default_button.clicked.connect(self._ask_for_default)
        self._show_state()

    def show_action(self, action: str, keymap: Keymap) -> None:
        """Be ready to change the keys of an action; empty for none."""
        self._action, self._keymap = action, keymap
        self.recorder.clear()
        self._show_state()

    def _lay_out(self) -> None:
        self._title.setProperty("role", "heading")
        self.message.setWordWrap(True)
        inside = QVBoxLayout(self._notice)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.message)
        self.recorder.setMaximumSequenceLength(1)
        self.recorder.setAccessibleName("New keys")
        self.recorder.setToolTip("Press the keys here; Tab leaves the field")
        self.set_button.setToolTip("These keys instead of what it has")
        self.none_button.setToolTip("Take all its keys away")
        self.default_button.setToolTip("The keys that it has in this keymap")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.recorder, stretch=1)
        for button in (self.set_button, self.add_button, self.none_button, self.default_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 9, 14, 10)
        layout.setSpacing(6)
        layout.addWidget(self._title)
        layout.addLayout(row)
        layout.addWidget(self._notice)

    def _show_state(self) -> None:
        """Draw all of it from the action and what was pressed."""
        action, keymap = self._action, self._keymap
        key = self._pressed()
        taken = holder_of(key, keymap, but=action) if key and action else None
        self._free = taken is None
        can_take = taken is None or bool(taken.action)
        own = keymap.keys[action] if action else ()
        has_it = any(clash(key, other) for other in own) if key else False
        self._title.setText(plain_text(action) if action else "Change keys")
        self.set_button.setText("Set" if self._free else "Take it")
        self.add_button.setText("Add" if self._free else "Leave it")
        self.add_button.setToolTip("These keys as well" if self._free else "Choose other keys")
        self.recorder.setEnabled(bool(action))
        self.set_button.setEnabled(bool(key) and can_take)
        self.add_button.setEnabled(bool(key) and not has_it)
        self.none_button.setEnabled(bool(own))
        self.default_button.setEnabled(action in keymap.changed)
        self.message.setText(self._sentence(key, has_it=has_it))
        self._show_role("" if self._free else "warning")

    def _show_role(self, role: str) -> None:
        """Draw the message as a warning, or as any other; style sheets look only when told."""
        if self._notice.property("role") != role:
            self._notice.setProperty("role", role)
            self._notice.style().polish(self._notice)
            aside = 9 if role else 0
            self._notice.setContentsMargins(aside, 3, aside, 3)

    def _sentence(self, key: str, *, has_it: bool) -> str:
        if not self._action:
            return _IDLE
        taken = holder_of(key, self._keymap, but=self._action) if key else None
        if taken is not None and taken.action:
            return f"{native(key)} {taken.reason}, which loses it if you take it."
        if taken is not None:
            return f"{native(key)} {taken.reason} and cannot be changed."
        if has_it:
            return f"It has {native(key)} already."
        if key:
            return f"{native(key)} is free."
        return f"It has {keys_text(self._keymap, self._action) or 'no keys'} now."

    def _pressed(self) -> str:
        return self.recorder.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _set(self) -> None:
        self.keys_chosen.emit(self._action, (self._pressed(),))

    def _add_or_leave(self) -> None:
        if self._free:
            keys = self._keymap.keys[self._action]
            self.keys_chosen.emit(self._action, (*keys, self._pressed()))
        else:
            self.recorder.clear()
            self.recorder.setFocus()

    def _set_none(self) -> None:
        self.keys_chosen.emit(self._action, ())

    def _ask_for_default(self) -> None:
        self.default_wanted.emit(self._action)


class ShortcutsDialog(QDialog):
    """A list of what every key and mouse move does, with a field to filter it."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._keymap = load_keymap("")
        self.setWindowTitle("Keys and mouse")
        self.filter_field = QLineEdit()
        self.keymaps, self._about = QComboBox(), QLabel()
        self._list = QTreeWidget()
        self._groups: list[tuple[QTreeWidgetItem, list[QTreeWidgetItem]]] = []
        self.changer = KeyChanger()
        self.all_default = QPushButton("All to default")
        for name in keymap_names():
            self.keymaps.addItem(read_keymap_file(name).title, name)
        self._prepare_list()
        self._lay_out()
        self.filter_field.textChanged.connect(self._show_matches)
        self.keymaps.activated.connect(self._choose_keymap)
        self._list.currentItemChanged.connect(self._show_chosen)
        self._list.itemActivated.connect(self._begin_change)
        self.changer.keys_chosen.connect(self._change)
        self.changer.default_wanted.connect(self._reset)
        self.all_default.clicked.connect(self._reset_all)
        settings.keys_changed.connect(self._show_keys)
        self._show_keys()
        self.filter_field.setFocus()

    def shown_rows(self) -> list[str]:
        """What the rows that match the filter say."""
        return [item.text(0) for item in self._items() if not item.isHidden()]

    def choose(self, action: str) -> None:
        """Go to the line of an action, as a click does."""
        for item in self._items():
            if action and item.data(0, _ACTION) == action:
                self._list.setCurrentItem(item)

    def _prepare_list(self) -> None:
        self._list.setColumnCount(2)
        self._list.setHeaderLabels(["What", "Keys and moves"])
        self._list.setRootIsDecorated(False)
        self._list.setIndentation(0)
        self._list.setUniformRowHeights(True)
        self._list.setAccessibleName("Keys and mouse moves")
        header = self._list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)

    def _lay_out(self) -> None:
        self.filter_field.setPlaceholderText("Filter: a word, or a key such as Ctrl+R")
        self.filter_field.setAccessibleName("Filter")
        self.filter_field.setClearButtonEnabled(True)
        self.keymaps.setAccessibleName("Keymap")
        self._about.setProperty("role", "caption")
        self._about.setWordWrap(True)
        self.all_default.setAutoDefault(False)
        self.all_default.setToolTip("Forget all changes in this keymap")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.all_default, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.rejected.connect(self.reject)
        caption = QLabel("&Keymap")
        caption.setBuddy(self.keymaps)
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(caption)
        top.addWidget(self.keymaps)
        top.addWidget(self.filter_field, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 14)
        layout.setSpacing(9)
        layout.addLayout(top)
        for widget in (self._about, self._list, self.changer, buttons):
            layout.addWidget(widget)
        layout.setStretchFactor(self._list, 1)
        room = self.screen().availableSize()
        self.resize(min(_SIZE[0], room.width() - 40), min(_SIZE[1], room.height() - 60))

    def _show_keys(self) -> None:
        """List the keymap of the settings; the line that was chosen stays chosen."""
        chosen, scrolled = self._chosen_action(), self._list.verticalScrollBar().value()
        self._keymap = keymap_of(self._settings)
        self.keymaps.setCurrentIndex(self.keymaps.findData(self._keymap.name))
        self._about.setText(self._keymap.about)
        self.all_default.setEnabled(bool(self._keymap.changed))
        self._groups = []
        self._list.clear()
        for title, lines in list_keys(self._keymap):
            heading, items = _heading(title), [_item(line) for line in lines]
            self._groups.append((heading, items))
            self._list.addTopLevelItems([heading, *items])
        self._list.resizeColumnToContents(1)  # while nothing is hidden, or it would jump
        self._show_matches(self.filter_field.text())
        self.choose(chosen)
        self._list.verticalScrollBar().setValue(scrolled)
        self._show_chosen()

    def _items(self) -> list[QTreeWidgetItem]:
        """The lines without the headings."""
        return [item for _, items in self._groups for item in items]

    def _show_matches(self, wanted: str) -> None:
        for heading, items in self._groups:
            for item in items:
                words = (item.text(0), item.data(0, _NAME), item.text(1), heading.text(0))
                item.setHidden(wanted.casefold() not in " ".join(words).casefold())
                if item.isHidden() and item is self._list.currentItem():
                    self._list.setCurrentIndex(QModelIndex())  # nobody changes what is not seen
            heading.setHidden(all(item.isHidden() for item in items))

    def _chosen_action(self) -> str:
        item = self._list.currentItem()
        return "" if item is None else str(item.data(0, _ACTION) or "")

    def _show_chosen(self) -> None:
        self.changer.show_action(self._chosen_action(), self._keymap)

    def _begin_change(self) -> None:
        if self._chosen_action():
            self.changer.recorder.setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose_keymap(self, number: int) -> None:
        self._settings.set_keymap(self.keymaps.itemData(number))

    def _change(self, action: str, keys: Sequence[str]) -> None:
        name = self._keymap.name
        own = self._settings.own_keys(name)
        self._settings.set_own_keys(name, rebound(name, own, action, keys))
        self._list.setFocus()  # the button that was pressed is disabled now

    def _reset(self, action: str) -> None:
        name = self._keymap.name
        own = self._settings.own_keys(name)
        own.pop(action, None)
        self._settings.set_own_keys(name, own)
        self._list.setFocus()

    def _reset_all(self) -> None:
        self._settings.set_own_keys(self._keymap.name, {})
        self._list.setFocus()


def _heading(title: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem([title])
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)  # cannot be chosen
    font = item.font(0)
    font.setBold(True)
    item.setFont(0, font)
    return item


def _item(line: KeyLine) -> QTreeWidgetItem:
    keys = f"{line.keys or 'none'}, changed" if line.changed else line.keys
    item = QTreeWidgetItem([line.what, keys])
    item.setData(0, _ACTION, line.action)
    item.setData(0, _NAME, plain_text(line.action) if line.action else "")
    item.setToolTip(0, line.what)
    if line.changed:
        font = item.font(1)
        font.setBold(True)
        item.setFont(1, font)
    return item

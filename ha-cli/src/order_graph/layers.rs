//! Where the items of a graph are drawn: in layers from left to right, with few lines that cross.

/// How large things are, in pixels.
const LETTER: u32 = 8;
const PADDING: u32 = 12;
const BOX_HEIGHT: u32 = 44;
const PASSAGE_HEIGHT: u32 = 14;
const GAP_BETWEEN_LAYERS: u32 = 44;
const GAP_BETWEEN_ROWS: u32 = 14;
const MARGIN: u32 = 10;

/// How often the layers are sorted; it has settled long before.
const SWEEPS: usize = 8;

/// Something that is drawn, or a line that passes a layer.
#[derive(Debug)]
pub(super) struct Item {
    layer: usize,
    class: &'static str,
    lines: Vec<String>,
    /// How many come before it in its layer.
    row: usize,
}

impl Item {
    pub(super) fn new(layer: usize, class: &'static str, lines: [String; 2]) -> Self {
        Self { layer, class, lines: lines.into(), row: 0 }
    }

    pub(super) fn passes(&self) -> bool {
        self.lines.is_empty()
    }

    /// Services are in every other layer.
    pub(super) fn is_service(&self) -> bool {
        !self.passes() && self.layer.is_multiple_of(2)
    }

    pub(super) fn class(&self) -> &'static str {
        self.class
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    fn width(&self) -> u32 {
        let longest = self.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let letters = u32::try_from(longest).unwrap_or(u32::MAX).saturating_mul(LETTER);
        if self.passes() { 0 } else { letters.saturating_add(PADDING.saturating_mul(2)) }
    }

    fn height(&self) -> u32 {
        if self.passes() { PASSAGE_HEIGHT } else { BOX_HEIGHT }
    }
}

/// A rectangle, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Place {
    pub(super) fn right(self) -> u32 {
        self.x.saturating_add(self.width)
    }

    pub(super) fn middle(self) -> u32 {
        self.y.saturating_add(self.height / 2)
    }
}

/// Items and the lines between them, each from one layer to the next one.
#[derive(Debug, Default)]
pub(super) struct Layers {
    items: Vec<Item>,
    lines: Vec<(usize, usize)>,
    /// By item, once they are arranged.
    places: Vec<Place>,
}

impl Layers {
    /// Takes an item. Gives its number.
    pub(super) fn add(&mut self, item: Item) -> usize {
        self.items.push(item);
        self.items.len().saturating_sub(1)
    }

    /// Draws a line from an item to another one in a later layer.
    pub(super) fn connect(&mut self, from: usize, to: usize) {
        let layer_of = |item: usize| self.items.get(item).map_or(0, |item| item.layer);
        let mut last = from;
        for layer in layer_of(from).saturating_add(1)..layer_of(to) {
            let passage = self.add(Item { layer, class: "", lines: Vec::new(), row: 0 });
            self.lines.push((last, passage));
            last = passage;
        }
        self.lines.push((last, to));
    }

    /// Gives each item its place.
    pub(super) fn arrange(&mut self) {
        let mut layers = self.by_layer();
        let (mut before, mut after) = (vec![Vec::new(); self.items.len()], vec![Vec::new(); self.items.len()]);
        for (from, to) in &self.lines {
            before.get_mut(*to).into_iter().for_each(|items| items.push(*from));
            after.get_mut(*from).into_iter().for_each(|items| items.push(*to));
        }
        for _ in 0..SWEEPS {
            layers.iter_mut().for_each(|layer| self.sort(layer, &before));
            layers.iter_mut().rev().for_each(|layer| self.sort(layer, &after));
        }
        self.place(&layers);
    }

    fn by_layer(&mut self) -> Vec<Vec<usize>> {
        let count = self.items.iter().map(|item| item.layer.saturating_add(1)).max().unwrap_or(0);
        let mut layers = vec![Vec::new(); count];
        for (number, item) in self.items.iter_mut().enumerate() {
            let Some(layer) = layers.get_mut(item.layer) else { continue };
            item.row = layer.len();
            layer.push(number);
        }
        layers
    }

    /// Sorts the items of a layer by where their neighbours are, on one side.
    fn sort(&mut self, layer: &mut [usize], neighbours: &[Vec<usize>]) {
        let row = |item: usize| self.items.get(item).map_or(0, |item| item.row);
        // In thousandths of a row.
        let wanted = |item: &usize| match neighbours.get(*item).map(Vec::as_slice) {
            None | Some([]) => row(*item).saturating_mul(1000),
            Some(found) => found.iter().map(|item| row(*item).saturating_mul(1000)).sum::<usize>() / found.len(),
        };
        layer.sort_by_cached_key(wanted);
        for (row, item) in layer.iter().enumerate() {
            self.items.get_mut(*item).into_iter().for_each(|item| item.row = row);
        }
    }

    /// Each layer is as wide as its widest item, and in the middle of the height of the tallest one.
    fn place(&mut self, layers: &[Vec<usize>]) {
        let item = |number: &usize| self.items.get(*number);
        let height = |layer: &Vec<usize>| {
            let items = layer.iter().filter_map(item);
            items.map(|item| item.height().saturating_add(GAP_BETWEEN_ROWS)).fold(0, u32::saturating_add)
        };
        let tallest = layers.iter().map(height).max().unwrap_or(0);
        let mut places = vec![Place::default(); self.items.len()];
        let mut x = MARGIN;
        for layer in layers {
            let widest = layer.iter().filter_map(item).map(Item::width).max().unwrap_or(0);
            let mut y = MARGIN.saturating_add(tallest.saturating_sub(height(layer)) / 2);
            for number in layer {
                let (Some(item), Some(place)) = (self.items.get(*number), places.get_mut(*number)) else { continue };
                // A line that passes is drawn across the layer.
                *place = Place { x, y, width: widest, height: item.height() };
                y = y.saturating_add(item.height()).saturating_add(GAP_BETWEEN_ROWS);
            }
            x = x.saturating_add(widest).saturating_add(GAP_BETWEEN_LAYERS);
        }
        self.places = places;
    }

    /// How wide and how high all of it is.
    pub(super) fn size(&self) -> (u32, u32) {
        let reach = |end: fn(&Place) -> u32| self.places.iter().map(end).max().unwrap_or(0).saturating_add(MARGIN);
        (reach(|place| place.right()), reach(|place| place.y.saturating_add(place.height)))
    }

    /// What is drawn as a box.
    pub(super) fn items(&self) -> impl Iterator<Item = (&Item, Place)> {
        let all = self.items.iter().zip(self.places.iter().copied());
        all.filter(|(item, _)| !item.passes())
    }

    /// The lines, each with what it leaves and what it comes to.
    pub(super) fn lines(&self) -> impl Iterator<Item = ((&Item, Place), (&Item, Place))> {
        let item = |number: usize| self.items.get(number).zip(self.places.get(number).copied());
        self.lines.iter().filter_map(move |(from, to)| item(*from).zip(item(*to)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(layer: usize, name: &str) -> Item {
        Item::new(layer, "", [name.to_owned(), String::new()])
    }

    #[test]
    fn no_box_covers_another_one_and_lines_lead_to_the_right() {
        let mut layers = Layers::default();
        let all: Vec<usize> = (0..24).map(|number| layers.add(item(number % 4, &"x".repeat(number)))).collect();
        for from in &all {
            let later = all.iter().filter(|to| *to % 4 > from % 4 && (*to * 7 + *from) % 3 == 0);
            later.for_each(|to| layers.connect(*from, *to));
        }
        layers.arrange();
        let boxes: Vec<Place> = layers.items().map(|(_, place)| place).collect();
        assert_eq!(boxes.len(), all.len());
        let (width, height) = layers.size();
        for (number, one) in boxes.iter().enumerate() {
            assert!(one.right() < width && one.y + one.height < height);
            for other in &boxes[..number] {
                let apart = one.right() < other.x || other.right() < one.x;
                assert!(apart || one.y + one.height < other.y || other.y + other.height < one.y, "{one:?} {other:?}");
            }
        }
        assert!(layers.lines().count() > 40);
        assert!(layers.lines().all(|((_, from), (_, to))| from.right() < to.x));
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        let mut layers = Layers::default();
        let left: Vec<usize> = (0..4).map(|number| layers.add(item(0, &format!("left{number}")))).collect();
        let right: Vec<usize> = (0..4).map(|number| layers.add(item(1, &format!("right{number}")))).collect();
        left.iter().zip(right.iter().rev()).for_each(|(from, to)| layers.connect(*from, *to));
        layers.arrange();
        assert!(layers.lines().all(|((_, from), (_, to))| from.y == to.y));
    }
}
